"""Mutual information of clusters and classes by layer, all networks and controls (Fig. 2)."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import plots

table = pd.read_csv(snakemake.input.table)
figure = plots.mutual_information_by_layer(table[table["k"] == table["n_classes"]])
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
