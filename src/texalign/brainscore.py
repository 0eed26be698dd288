"""Tables of scores. Standard library only: they are read before any job runs."""

import csv
import math
from typing import NamedTuple

from texalign.errors import InputError

#: The seven scores of the paper, each between 0 and 1 (section 4.7): what a table without a side file has.
METRICS = ("average_vision", "neural_vision", "behavior_vision", "V1", "V2", "V4", "IT")

#: What columns may be: numbers from 0 to 1, any numbers, how many measurements stand behind one, texts.
TYPES = ("score", "number", "count", "name")

SEVEN = {metric: {"type": "score"} for metric in METRICS}


class Scores(NamedTuple):
    """Scores of networks, with what stands beside them.

    Attributes
    ----------
    metrics : list of str
        Columns that are correlated.
    values : dict of str to dict
        From network to metric to number; NaN where there is none.
    counts : dict of str to dict
        From network to column to how many measurements there are.
    names : dict of str to str
        From network to what the source calls it; its key where the table does not say.
    """

    metrics: list
    values: dict
    counts: dict
    names: dict


def read(path, columns=None):
    """Read a table of scores.

    Parameters
    ----------
    path : str or Path
        A CSV with the column ``network`` and the others that are named. An empty cell is a score that does
        not exist. Columns that are not named are ignored.
    columns : dict of str to dict, optional
        Column to its ``type``, one of `TYPES`; by default `SEVEN`.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        The file is no such table: a column is missing, a row is too short or too long, a network is
        nameless or named twice, or a cell is not of its column's type.
    """
    columns = SEVEN if columns is None else columns
    header, *rows = _rows(path) or [[]]
    if repeated := sorted({column for column in header if header.count(column) > 1}):
        raise InputError(
            f"{path}: {', '.join(repeated) or 'a nameless column'} stands twice in its header; keep one"
        )
    if missing := [column for column in ("network", *columns) if column not in header]:
        raise InputError(f"{path}: no column {', '.join(missing)}; needed are network, {', '.join(columns)}")
    columns = {name: columns[name] for name in header if name in columns}
    found = Scores([name for name in columns if _type(columns, name) in ("score", "number")], {}, {}, {})
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(row)} cells, and its header {len(header)}; "
                "leave a cell empty where there is no score"
            )
        cells = dict(zip(header, row, strict=True))
        network = cells["network"]
        if not network:
            raise InputError(f"{path}: row {number}, column network is empty; give the key")
        if network in found.values:
            raise InputError(f"{path}: network {network} has two rows; keep one of them")
        numbers = {
            name: _number(cells[name], _type(columns, name), f"{path}: network {network}, column {name}")
            for name in columns
            if _type(columns, name) != "name"
        }
        found.values[network] = {name: numbers[name] for name in found.metrics}
        found.counts[network] = {name: numbers[name] for name in numbers if name not in found.metrics}
        names = [cells[name] for name in columns if _type(columns, name) == "name"]
        found.names[network] = next(filter(None, names), network)
    return found


def join(tables):
    """Join tables of scores by network.

    Parameters
    ----------
    tables : dict of str to Scores
        Name of the table, for errors, to its content.

    Returns
    -------
    Scores
        NaN where a table has no row of a network that another has.

    Raises
    ------
    InputError
        Two tables have a column of the same name.
    """
    columns = {}
    for name, table in tables.items():
        counts = next(iter(table.counts.values()), {})
        for column in (*table.metrics, *counts):
            if column in columns:
                raise InputError(
                    f"{name}: column {column} is in {columns[column]} too; rename it in one of them"
                )
            columns[column] = name
    joined = Scores([metric for table in tables.values() for metric in table.metrics], {}, {}, {})
    for network in dict.fromkeys(network for table in tables.values() for network in table.values):
        joined.values[network], joined.counts[network] = {}, {}
        for table in tables.values():
            empty = dict.fromkeys(table.metrics, math.nan)
            joined.values[network] |= table.values.get(network, empty)
            joined.counts[network] |= table.counts.get(network, {})
            if table.names.get(network, network) != network:
                joined.names.setdefault(network, table.names[network])
        joined.names.setdefault(network, network)
    return joined


def by_position(networks, names):
    """Pair networks the way two differently sorted tables meet when they are put side by side.

    The networks are sorted by their keys, and the rows of the scores by the names that the source gives them.
    It is wrong, and there to reproduce what was done that way.

    Parameters
    ----------
    networks : iterable of str
        Keys of networks that have scores.
    names : dict of str to str
        From key to the source's name.

    Returns
    -------
    dict of str to str
        From a network to the one whose scores it is given.
    """
    networks = sorted(networks)
    return dict(zip(networks, sorted(networks, key=names.__getitem__), strict=True))


def _rows(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, skipinitialspace=True, strict=True)
            return [[cell.strip() for cell in row] for row in rows if row]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}: is not UTF-8 text (byte 0x{byte:02x}); save it as UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV table ({error}); correct it") from error


def _type(columns, name):
    return columns[name]["type"]


#: What a cell of a type must be, in words and as a test.
_ALLOWED = {
    "score": ("a number from 0 to 1", lambda value: 0 <= value <= 1),
    "number": ("a number", math.isfinite),
    "count": ("a whole number, 0 or more", lambda value: value >= 0 and value == int(value)),
}


def _number(cell, kind, where):
    words, allowed = _ALLOWED[kind]
    try:
        value = float(cell or "nan")
    except ValueError:
        value = math.inf
    if cell and not (math.isfinite(value) and allowed(value)):
        raise InputError(
            f"{where}: {cell!r} is not {words}; correct it, or leave it empty where there is no score"
        )
    return value
