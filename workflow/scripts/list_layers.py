"""List a network's modules with channels, positions, relative depth and Gram size, to choose layers from."""

from texalign import job

job.start(snakemake)

import contextlib
import io

import pandas as pd

from texalign import depth, files, networks, readout

entry = snakemake.params.entry | {"weights": "untrained"}
network = networks.load(entry | {"layers": []}, device="cpu")
with contextlib.redirect_stdout(io.StringIO()):  # some networks print
    table = pd.DataFrame(readout.list_modules(network, snakemake.params.size))
chosen = depth.chosen(network.module, entry["layers"])
layers = {module: f"L{i}" for i, module in enumerate(chosen, start=1)}
table.insert(0, "layer", table["module"].map(layers).fillna("-"))
table["gram_MB_per_1000"] = (table["gram_values"] * 4e-3).round(1)
with files.whole(snakemake.output[0]) as path:
    table.to_csv(path, sep="\t", index=False)
