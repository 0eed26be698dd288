"""Tables on disk: CSV files, each with its number of rows, its hash and what made it in a file beside it.

`read` is the one way in: names stay texts, and a table that was cut short is noticed.
"""

import csv
import hashlib
import io
import json
import math
import re
from pathlib import Path

from texalign.errors import InputError
from texalign.files import whole

#: Columns that hold names. Everything else is a number, or true or false.
TEXTS = frozenset(
    (
        *("choice", "class", "clustering", "confused_with", "estimator", "family", "file"),
        *("join", "kind", "label", "layer", "layers", "level", "maker", "method", "metric", "module"),
        *("nearest_class", "network", "networks", "normalisation", "note", "other_class", "pivotal"),
        *("pivotal_family", "rdm", "readout", "reference", "representation", "scored_by", "selection"),
        *("specification", "texture", "variant", "version", "weights", "what", "words", "worst_layer"),
    )
)


def write(path, rows, about=None):
    """Write a table, whole or not at all.

    Parameters
    ----------
    path : str or Path
        A CSV file. ``<path>.json`` beside it says how many rows it has, its hash, and what made it.
    rows : DataFrame or list of dict
        Every dict has the same keys. NaN and None are empty cells.
    about : dict, optional
        Plain values: what made the table. See `texalign.job.about`.
    """
    columns, rows = _plain(rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    content = text.getvalue().encode()
    told = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest(), "made_by": about or {}}
    with whole(path) as table, whole(_beside(path)) as beside:
        table.write_bytes(content)
        beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _plain(rows):
    if isinstance(rows, list):
        columns = list(rows[0]) if rows else []
        return columns, [[row[column] for column in columns] for row in rows]
    return list(rows.columns), list(rows.itertuples(index=False, name=None))


def _cell(value):
    empty = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if empty else value


def _beside(path):
    return Path(f"{path}.json")


def read(path):
    """Read a table that `write` wrote.

    Returns
    -------
    DataFrame
        Names as str, never as numbers or NaN; empty numbers as NaN.

    Raises
    ------
    InputError
        The table is missing, or is not as it was written.
    """
    import pandas as pd

    content = verified(path)
    header = next(csv.reader(io.StringIO(content.decode())), [])
    texts = {column: str for column in header if column in TEXTS}
    empty = {column: [""] for column in header if column not in TEXTS}
    return pd.read_csv(io.BytesIO(content), dtype=texts, keep_default_na=False, na_values=empty)


def verified(path):
    """Bytes of a table, which must be those that were written.

    Raises
    ------
    InputError
        The table, or the file beside it, is missing or not as it was written.
    """
    again = f"delete it and run again, or write it anew together with {_beside(path).name}"
    try:
        content, told = Path(path).read_bytes(), json.loads(_beside(path).read_text(encoding="utf-8"))
        expected = told["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read with what is beside it ({error}); {again}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        found, rows = max(content.count(b"\n") - 1, 0), told.get("rows")
        raise InputError(f"{path}: not as it was written ({found} rows, {rows} were); {again}")
    return content


def natural(name):
    """Sort key under which ``resnet18`` comes before ``resnet101``, and ``L2`` before ``L10``.

    Examples
    --------
    >>> sorted(["L10", "L2"], key=natural)
    ['L2', 'L10']
    """
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(name))]


def check_one_condition(mi):
    """Refuse a table that mixes readouts, clusterings or numbers of clusters.

    Raises
    ------
    ValueError
        A network has two rows for a layer, or one of the columns ``readout``, ``clustering``, ``k``
        has two values.
    """
    for column in ("readout", "clustering", "k"):
        if column in mi and mi[column].nunique() > 1:
            raise ValueError(f"{column} must have one value, got {sorted(mi[column].unique())}: filter first")
    twice = mi.duplicated(["network", "layer"])
    if twice.any():
        raise ValueError(f"two rows for {tuple(mi.loc[twice.idxmax(), ['network', 'layer']])}")


def best_layers(mi):
    """Find the layer of each network that tells most about the classes (section 4.7).

    Parameters
    ----------
    mi : DataFrame
        The tidy table of mutual information, one row for each network and layer, of one readout,
        clustering and number of clusters.

    Returns
    -------
    DataFrame
        For each network the row with the highest ``mi_bits``, the earliest layer where several are
        equal, in the order of the networks' names. The order of `mi` does not matter.
    """
    check_one_condition(mi)
    rank = mi["layer"].map({name: i for i, name in enumerate(sorted(mi["layer"].unique(), key=natural))})
    ordered = mi.assign(_rank=rank).sort_values(
        ["network", "mi_bits", "_rank"], ascending=[True, False, True], na_position="last"
    )
    return ordered.drop(columns="_rank").drop_duplicates("network").reset_index(drop=True)
