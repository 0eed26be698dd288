"""Correlation of each network's best mutual information with its scores, joined by key."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import alignment, tables

params = snakemake.params
information = tables.read(snakemake.input.information)
main = information[information["k"] == (params.k or information["n_classes"])]
main = main[~main["control"]]
scores = alignment.score_table(params.scores, params.metrics)
if params.pairs:  # by position, to reproduce what was done that way
    scores = alignment.paired(scores, params.pairs)
joined = alignment.join_scores(tables.best_layers(main), scores)
for network in joined.loc[~joined["scored"], "network"]:
    job.log.warning("%s has no row in %s: it is listed without scores", network, params.table)
counts = pd.DataFrame.from_dict(params.counts, orient="index")
joined = joined.join(counts, on="network")
correlation = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
tables.write(snakemake.output.networks, joined, job.about())
tables.write(snakemake.output.correlation, correlation, job.about())
rests_on = alignment.uncertainty(main, scores, params.samples, params.seed)
tables.write(snakemake.output.uncertainty, rests_on, job.about())
