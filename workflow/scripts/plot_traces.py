"""Loss against evaluations for each texture, network and seed."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables
from texalign.figures import style, synthesis

names = pd.DataFrame.from_dict(snakemake.params.names, orient="index").rename_axis("network").reset_index()
traces = []
for path in map(Path, snakemake.input.traces):
    texture, _, network, _, seed = path.with_suffix("").parts[-5:]
    trace = tables.read(path)[["evaluations", "loss"]]
    traces.append(trace.assign(texture=texture, run=seed, network=network))
figure = synthesis.loss_curves(pd.concat(traces).merge(names, on="network", validate="many_to_one"))
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
