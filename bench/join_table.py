"""Join the measurements to a table, with what the machine could do at best.

Usage: python bench/join_table.py STEP.json ... --out benchmark.md benchmark.csv
"""

import argparse
import json
import platform
from pathlib import Path

import pandas as pd
import psutil
import torch

HEAD = """# Benchmark

Ours against the plain way (`bench/plain.py`), by turns in one process; medians of {rounds} rounds; peak
memory in a process of its own for each. Made by `make bench` on: {machine}.

What this machine can do, measured in the same run: float32 products {torch_matmul_gflops:.0f} (torch) and
{numpy_matmul_gflops:.0f} GFLOP/s (NumPy), 3 x 3 convolutions {convolution_gflops:.0f} GFLOP/s, memory
{memory_gbytes:.0f} GB/s.

`share` is the rate of the operations that the step cannot do without, as a share of the convolution rate
(features) or of the fastest product (RDM).

"""


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", nargs=2, required=True)
    args = parser.parse_args()
    rows = [json.loads(Path(path).read_text()) for path in args.files]
    limits = next(row for row in rows if row["step"] == "limits")
    table = pd.DataFrame([row for row in rows if row is not limits])
    product = max(limits["torch_matmul_gflops"], limits["numpy_matmul_gflops"])
    peak = table["step"].str.startswith("features").map({True: limits["convolution_gflops"], False: product})
    table["items_per_s"] = table["items"] / table["ours_s"]
    table["share"] = table["flop"] / table["ours_s"] / 1e9 / peak
    columns = ["step", "items", "ours_s", "plain_s", "ratio", "items_per_s", "share"]
    columns += ["ours_mb", "plain_mb", "relative_difference"]
    table = table[columns]
    table.to_csv(args.out[1], index=False)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in table.itertuples(index=False):
        cells = [f"{v:.3g}" if isinstance(v, float) and v == v else ("" if v != v else str(v)) for v in row]
        lines.append("| " + " | ".join(cells) + " |")
    head = HEAD.format(rounds=rows[1]["rounds"], machine=machine(), **limits)
    Path(args.out[0]).write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
