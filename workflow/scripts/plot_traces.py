"""Loss against evaluations for each texture, network and seed."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import escaping, tables
from texalign.figures import style, synthesis

traces = []
for path in map(Path, snakemake.input.traces):
    texture, _, network, _, seed = path.with_suffix("").parts[-5:]
    trace = tables.read(path)[["evaluations", "loss"]]
    traces.append(trace.assign(texture=texture, run=seed, network=network))
study = escaping.unescape(snakemake.params.study)
figure = synthesis.loss_curves(pd.concat(traces), study)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
