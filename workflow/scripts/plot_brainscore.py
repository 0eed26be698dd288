"""Best mutual information of each network against its seven Brain-Scores (Fig. 3)."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import plots

joined, correlation = pd.read_csv(snakemake.input.networks), pd.read_csv(snakemake.input.correlation)
figure = plots.brainscore_panels(joined, correlation)
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
