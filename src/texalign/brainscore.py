"""Tables of Brain-Scores. Standard library only: they are read before any job runs."""

import csv
import math

from texalign.errors import InputError

#: The seven scores that the study uses, each between 0 and 1 (section 4.7).
METRICS = ("average_vision", "neural_vision", "behavior_vision", "V1", "V2", "V4", "IT")


def read(path):
    """Read a table of Brain-Scores.

    Parameters
    ----------
    path : str or Path
        A CSV with the column ``network`` and one column for each of `METRICS`. An empty cell is a
        score that does not exist. Other columns are ignored.

    Returns
    -------
    dict of str to dict
        From network to metric to score, dimensionless, between 0 and 1 or NaN.

    Raises
    ------
    InputError
        The file is no such table: a column is missing, a row is too short or too long, a network is
        nameless or named twice, or a score is not a number between 0 and 1.
    """
    header, *rows = _rows(path) or [[]]
    if repeated := sorted({column for column in header if header.count(column) > 1}):
        raise InputError(
            f"{path}: {', '.join(repeated) or 'a nameless column'} stands twice in its header; keep one"
        )
    if missing := [column for column in ("network", *METRICS) if column not in header]:
        raise InputError(f"{path}: no column {', '.join(missing)}; needed are network, {', '.join(METRICS)}")
    scores = {}
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
        if network in scores:
            raise InputError(f"{path}: network {network} has two rows; keep one of them")
        scores[network] = {
            metric: _score(cells[metric], f"{path}: network {network}, column {metric}") for metric in METRICS
        }
    return scores


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


def _score(cell, where):
    try:
        score = float(cell or "nan")
    except ValueError:
        score = math.inf
    if cell and not 0 <= score <= 1:
        raise InputError(
            f"{where}: {cell!r} is not a number from 0 to 1; "
            "correct it, or leave it empty where there is no score"
        )
    return score
