"""Mutual information of clusters and classes for every layer and k of one network, with its null."""

from texalign import job

job.start(snakemake)

from texalign import store, tables
from texalign.information import mutual

params, estimator = snakemake.params, snakemake.wildcards.estimator
rows = []
with store.open_h5(snakemake.input.clusters) as source:
    for layer, group in source.items():
        _, classes = store.read_keys(group)
        about = {"layer": layer} | {key: group.attrs[key] for key in ("module", "channels", "positions")}
        for clusters in store.read_labels(group).values():
            row = mutual.against_chance(classes, clusters, estimator, params.permutations, params.seed)
            rows.append(about | row)
tables.write(snakemake.output[0], rows, job.about())
