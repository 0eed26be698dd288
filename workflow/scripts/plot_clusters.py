"""Which clusters the textures of each class fell into, at the best layer of one network."""

from texalign import job

job.start(snakemake)

import numpy as np
import pandas as pd

from texalign import alignment, information, plots, store

table = pd.read_csv(snakemake.input.information).assign(network=snakemake.wildcards.network)
best = alignment.best_layers(table[table["k"] == table["n_classes"]]).iloc[0]
with store.open_h5(snakemake.input.clusters) as source:
    group = source[best["layer"]]
    classes, clusters = store.read_keys(group)[1], group[f"k{best['k']}"][:]
title = f"{snakemake.params.label}, {best['layer']} ({best['module']}), {best['mi_bits']:.2f} bits"
figure = plots.cluster_composition(information.contingency(classes, clusters), np.unique(classes), title)
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
