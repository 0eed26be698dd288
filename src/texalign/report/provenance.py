"""What made each file of a study, from what the files say themselves."""

import csv
import json
from pathlib import Path

from texalign import store


def of_table(path):
    """Tell what made a table, from the file beside it."""
    about = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))["made_by"]
    return _row(path, about)


def of_h5(path):
    """Tell what made an HDF5 file, from its attributes."""
    with store.open_h5(path) as file:
        first = next((item for item in file.values() if "weights_sha256" in item.attrs), file)
        weights = file.attrs.get("weights_sha256", first.attrs.get("weights_sha256", ""))
        about, versions = json.loads(file.attrs["made_by"]), file.attrs["versions"]
    return _row(path, about) | {"weights": weights, "versions": versions}


def _row(path, about):
    about = dict(about)
    version, rule = about.pop("texalign", ""), about.pop("rule", "")
    params = json.dumps(about.get("params", {}), indent=1, ensure_ascii=False)
    empty = {"weights": "", "versions": "", "seconds": None, "memory": None}
    return {"file": str(path), "rule": rule, "version": version, "params": params, **empty}


def measured(benchmark):
    """Read the seconds and the largest memory (MB) of a job, as snakemake measured them; None if not."""
    with open(benchmark, encoding="utf-8", newline="") as lines:
        row = next(csv.DictReader(lines, delimiter="\t"))
    return {"seconds": _number(row["s"]), "memory": _number(row["max_rss"])}


def _number(text):
    try:
        return round(float(text), 1)
    except ValueError:
        return None


def listed(folder):
    """List what made every table and HDF5 file of a study.

    Parameters
    ----------
    folder : str or Path
        The study's.

    Returns
    -------
    list of dict
        file, rule, version, seconds, memory, weights, versions, params; sorted by file. A file that says
        nothing of itself is left out.
    """
    folder, rows = Path(folder), []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".csv" and Path(f"{path}.json").is_file():
            row = of_table(path)
        elif path.suffix == ".h5":
            row = of_h5(path)
        else:
            continue
        place = path.relative_to(folder)
        benchmark = folder / "benchmarks" / coordinates(row["rule"], place)
        rows.append(row | {"file": place.as_posix()} | (measured(benchmark) if benchmark.is_file() else {}))
    return rows


def coordinates(rule, place):
    """Where a job leaves its benchmark: the coordinates of its file, without the kind's own folders.

    Examples
    --------
    >>> coordinates("describe_classes", Path("classes/linear/gram/gram/labels/vgg16.csv")).as_posix()
    'describe_classes/linear/gram/gram/vgg16.tsv'
    """
    parts = [part for part in place.parts[1:] if part not in ("by_k", "halves", "labels", "confusions")]
    return Path(rule, *parts).with_suffix(".tsv")
