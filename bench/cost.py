"""What a finished study cost, from its `benchmark:` files: by rule and by network.

Usage: python bench/cost.py results/<study>
"""

import argparse
from pathlib import Path

import pandas as pd

#: Parts of a path that are no network.
CHOICES = ("linear", "relu", "gram", "rdm_rows", "cosine")


def read(folder):
    """One row a job: rule, network, seconds, CPU seconds, peak memory in MB."""
    rows = []
    for path in sorted(Path(folder, "benchmarks").rglob("*.tsv")):
        parts = path.relative_to(Path(folder, "benchmarks")).with_suffix("").parts
        network = next(
            (p for p in parts[1:] if p not in ("linear", "relu", "gram", "rdm_rows", "cosine")), ""
        )
        job = pd.read_csv(path, sep="\t").iloc[-1]
        rows.append((parts[0], network, job["s"], job["cpu_time"], job["max_rss"]))
    return pd.DataFrame(rows, columns=["rule", "network", "seconds", "cpu_seconds", "peak_mb"])


def written(folder, network):
    """GB and number of the files that bear a network's name."""
    files = [p for p in Path(folder).rglob("*") if p.is_file() and network in (p.stem, *p.parts)]
    return sum(p.stat().st_size for p in files) / 1e9, len(files)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    jobs = read(folder)
    rules = jobs.groupby("rule").agg(
        jobs=("seconds", "size"),
        seconds_median=("seconds", "median"),
        seconds_largest=("seconds", "max"),
        cpu_hours=("cpu_seconds", lambda s: s.sum() / 3600),
        peak_mb=("peak_mb", "max"),
    )
    print(rules.round(2).to_string(), "\n")
    networks = jobs[jobs["network"] != ""].groupby("network")
    table = networks.agg(cpu_minutes=("cpu_seconds", lambda s: s.sum() / 60), peak_mb=("peak_mb", "max"))
    table[["GB", "files"]] = [written(folder, network) for network in table.index]
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
