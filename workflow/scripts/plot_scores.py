"""Every network's images under every network, and their losses against those to be expected."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import plots, plots_synthesis

figure = plots_synthesis.scores(pd.read_csv(snakemake.input.scores), snakemake.params.labels)
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
