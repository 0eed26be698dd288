"""Loss against evaluations for each texture, network and seed."""

from texalign import job

job.start(snakemake)

from itertools import product

import pandas as pd

from texalign import plots, plots_synthesis

params = snakemake.params
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
keys = product(params.textures, params.runs, params.names)
traces = pd.concat(
    pd.read_csv(path)[["evaluations", "loss"]].assign(texture=texture, run=run, network=network)
    for path, (texture, run, network) in zip(snakemake.input.traces, keys, strict=True)
)
figure = plots_synthesis.loss_curves(traces.merge(names, on="network", validate="many_to_one"))
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
