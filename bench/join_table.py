"""Join the measurements to a table, with what the machine could do at best.

Usage: python bench/join_table.py STEP.json ... --compared STEP.json ... --out benchmark.md benchmark.csv
"""

import argparse
import json
import platform
from pathlib import Path

import pandas as pd
import psutil
import torch

HEAD = """Ours against the plain way (`bench/plain.py`), by turns, each in a process of its own; medians of
{rounds} rounds. Made by `make bench` on: {machine}.

What this machine can do, measured in the same run: float32 matrix products {torch_matmul_gflops:.0f} GFLOP/s
(torch) and {numpy_matmul_gflops:.0f} (NumPy), 3 x 3 convolutions {convolution_gflops:.0f}, memory
{memory_gbytes:.0f} GB/s.

`share`: the operations that the step cannot do without, each second, as a share of the convolution rate
(features; Winograd convolutions do with fewer) or of the fastest product (RDM). `over bare`: the time over
that of the RDM's matrix products alone.

"""

#: Column of the measurements, and of the table.
COLUMNS = {
    "step": "step",
    "items": "items",
    "ours_s": "ours, s",
    "plain_s": "plain, s",
    "ratio": "ratio",
    "items_per_s": "items/s",
    "share": "share",
    "over_bare": "over bare",
    "ours_mb": "ours, MB",
    "plain_mb": "plain, MB",
    "relative_difference": "relative difference",
}


def machine():
    """Describe processor, cores, memory and versions in one line."""
    model = [line.split(":")[1].strip() for line in cpuinfo() if line.startswith("model name")]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{model[0] if model else platform.processor()}, {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def cpuinfo():
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def cell(value):
    """Write a number of the table with three digits, and nothing for what was not measured."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


COMPARED = """
Feature passes on processors of several classes and with several numbers of threads: images/s, and how many
times as fast as the plain way{before}. `avx2` stands for a machine without AVX-512.

"""


def markdown(head, rows):
    """Write a table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]) + "\n"


def compared(rows):
    """Write the table of feature passes: a row a network and number of threads, a column a processor."""
    table = pd.DataFrame(rows)
    table["network"] = table["step"].str.split(":").str[1]
    columns = {
        f"{way}, images/s": table["items"] / table[f"{way}_s"]
        for way in ("plain", "before", "ours")
        if f"{way}_s" in table
    }
    columns["ratio"] = table["ratio"]
    if "over_before" in table:
        columns["over before"] = table["over_before"]
    index = ["network", "threads"]
    wide = table[[*index, "processor"]].assign(**columns).pivot(index=index, columns="processor")
    wide = wide.swaplevel(axis=1)[table["processor"].unique()]
    head = [*index, *(f"{processor}: {column}" for processor, column in wide.columns)]
    return COMPARED.format(before=" and the version before" * ("over before" in columns)) + markdown(
        head, wide.reset_index().itertuples(index=False)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--compared", nargs="*", default=())
    parser.add_argument("--out", nargs=2, required=True)
    args = parser.parse_args()
    rows = [json.loads(Path(path).read_text()) for path in args.files]
    limits = next(row for row in rows if row["step"] == "limits")
    table = pd.DataFrame([row for row in rows if row is not limits])
    product = max(limits["torch_matmul_gflops"], limits["numpy_matmul_gflops"])
    peak = table["step"].str.startswith("features").map({True: limits["convolution_gflops"], False: product})
    table["items_per_s"] = table["items"] / table["ours_s"]
    table["share"] = table["flop"] / table["ours_s"] / 1e9 / peak
    table["over_bare"] = table["ours_s"] / table.get("bare_s", float("nan"))
    table = table[list(COLUMNS)]
    table.to_csv(args.out[1], index=False)
    text = HEAD.format(machine=machine(), **limits)
    text += markdown(COLUMNS.values(), table.itertuples(index=False))
    if args.compared:
        text += compared([json.loads(Path(path).read_text()) for path in args.compared])
    Path(args.out[0]).write_text(text)


if __name__ == "__main__":
    main()
