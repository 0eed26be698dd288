"""The result under every set of choices: best information, correlations, one null, what moves them."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import alignment, tables
from texalign.statistics import curve

params, output = snakemake.params, snakemake.output
read = [tables.read(path).assign(network=Path(path).stem) for path in snakemake.input.by_k]
best = []
for name, (choices, places) in params.specifications.items():
    rows = pd.concat(read[place] for place in places)
    rows = rows[rows["k"] == (choices["k"] or rows["n_classes"])]
    rows = tables.best_layers(rows)[["network", "layer", "k", "mi_bits"]]
    best.append(pd.DataFrame([{"specification": name} | choices]).drop(columns="k").merge(rows, how="cross"))
best = pd.concat(best, ignore_index=True)
names = list(params.specifications)
bits = best.pivot(index="specification", columns="network", values="mi_bits").loc[names]
scores = alignment.score_table(params.scores, params.metrics)
pairs = {
    name: params.pairs
    for name, (choices, _) in params.specifications.items()
    if choices["join"] == "position"
}
found = curve.specification_curve(bits, scores, pairs, params.samples, params.seed)
choices = pd.DataFrame([params.specifications[name][0] for name in names], names)
tables.write(output.networks, best, job.about())
tables.write(output.correlations, found.correlations, job.about())
tables.write(output.mean, found.mean, job.about())
tables.write(output.null, found.null, job.about())
tables.write(output.effects, curve.effects(choices, bits, found.correlations), job.about())
