"""The numbers that the papers published, and whether a study is one of theirs."""

import csv


def read(path):
    """Read the table of published correlations.

    Returns
    -------
    list of dict
        version, metric, n, pearson_r, p_value, networks (a set of keys).
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["networks"] = set(row["networks"].split(";"))
        row["n"], row["pearson_r"], row["p_value"] = (
            kind(row[name]) for kind, name in ((int, "n"), (float, "pearson_r"), (float, "p_value"))
        )
    return rows


def of_study(rows, config):
    """Find the published rows of the study that a config repeats: the same networks on all of DTD.

    Returns
    -------
    list of dict
        ``version``, ``metric``, ``n``, ``pearson_r``, ``p_value``; empty for any other study.
    """
    dataset = config["dataset"]
    if dataset["source"] != "dtd" or dataset["per_class"]:
        return []
    columns = ("version", "metric", "n", "pearson_r", "p_value")
    theirs = [row for row in rows if row["networks"] == set(config["networks"])]
    return [{name: row[name] for name in columns} for row in theirs]
