"""Correlation of each network's best mutual information with its Brain-Scores, joined by key."""

from texalign import job

job.start(snakemake)

from texalign import alignment, tables

params = snakemake.params
information = tables.read(snakemake.input.information)
main = information[(information["k"] == information["n_classes"]) & ~information["control"]]
scores = alignment.score_table(params.scores)
joined = alignment.join_scores(tables.best_layers(main), scores)
for network in joined.loc[~joined["scored"], "network"]:
    job.log.warning("%s has no row in %s: it is listed without scores", network, params.table)
correlation = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
tables.write(snakemake.output.networks, joined, job.about())
tables.write(snakemake.output.correlation, correlation, job.about())
