"""What made each file of a study, from what the files say themselves and what snakemake noted."""

import csv
import json
from pathlib import Path

from texalign import store

#: What is not known of a file.
_UNKNOWN = {
    **{key: "" for key in ("rule", "log", "version", "params", "weights", "versions")},
    **{"inputs": (), "seconds": None, "memory": None},
}


def of_table(path):
    """Tell what made a table, from the file beside it."""
    about = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))["made_by"]
    return _made(about)


def of_h5(path):
    """Tell what made an HDF5 file, from its attributes."""
    with store.open_h5(path) as file:
        first = next((item for item in file.values() if "weights_sha256" in item.attrs), file)
        weights = file.attrs.get("weights_sha256", first.attrs.get("weights_sha256", ""))
        about, versions = json.loads(file.attrs["made_by"]), file.attrs["versions"]
    return _made(about) | {"weights": weights, "versions": versions}


def _made(about):
    about = dict(about)
    version, rule = about.pop("texalign", ""), about.pop("rule", "")
    params = json.dumps(about.get("params", {}), indent=1, ensure_ascii=False)
    return {"rule": rule, "version": version, "params": params}


def jobs(path):
    """Read what snakemake noted of each file that is there: `snakemake --detailed-summary`.

    Returns
    -------
    dict of str to dict
        File to its rule, its inputs, and the log of the job that made it.
    """
    with open(path, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        row["output_file"]: {
            "rule": row["rule"],
            "inputs": _names(row["input-file(s)"]),
            "log": next(iter(_names(row["log-file(s)"])), ""),
        }
        for row in rows
        if row["status"] != "missing"
    }


def _names(text):
    return () if text in ("", "-") else tuple(text.split(","))


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


def listed(folder, noted=()):
    """List what made every file of a study that tells of itself, or that snakemake tells of.

    Parameters
    ----------
    folder : str or Path
        The study's.
    noted : dict of str to dict, optional
        See `jobs`: its files are relative to the working directory, as `folder` is.

    Returns
    -------
    list of dict
        file, below the folder; rule, inputs, log, version, seconds, memory, weights, versions, params; sorted
        by file. What is not known is empty, or None where it is a number.
    """
    folder, noted = Path(folder), dict(noted)
    known = {path: _UNKNOWN | noted[str(path)] for path in map(Path, noted) if folder in path.parents}
    for path in folder.rglob("*"):
        if path.suffix == ".csv" and Path(f"{path}.json").is_file():
            known[path] = known.get(path, _UNKNOWN) | of_table(path)
        elif path.suffix == ".h5" and store.is_ours(path):
            known[path] = known.get(path, _UNKNOWN) | of_h5(path)
    rows = []
    for path in sorted(path for path in known if path.exists()):
        row, place = known[path], path.relative_to(folder)
        benchmark = folder / "benchmarks"
        if row["log"]:
            benchmark /= _beside_log(folder, row["log"])
        elif row["rule"]:
            benchmark /= coordinates(row["rule"], place)
        rows.append({"file": place.as_posix()} | row | (measured(benchmark) if benchmark.is_file() else {}))
    return rows


def _beside_log(folder, log):
    return Path(log).relative_to(folder / "logs").with_suffix(".tsv")


def coordinates(rule, place):
    """Where a job leaves its benchmark: the coordinates of its file, without the kind's own folders.

    Examples
    --------
    >>> coordinates("describe_classes", Path("classes/linear/gram/gram/labels/vgg16.csv")).as_posix()
    'describe_classes/linear/gram/gram/vgg16.tsv'
    """
    parts = [part for part in place.parts[1:] if part not in ("by_k", "halves", "labels", "confusions")]
    return Path(rule, *parts).with_suffix(".tsv")
