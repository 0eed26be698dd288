"""Mutual information of clusters and classes for every layer and k of one network, with its uncertainty."""

from texalign import job

job.start(snakemake)

from texalign import store, tables
from texalign.information import mutual, variation

params, estimator = snakemake.params, snakemake.wildcards.estimator
rows, by_k = [], []
with store.open_h5(snakemake.input.clusters) as source:
    for layer, group in source.items():
        _, classes = store.read_keys(group)
        about = {"layer": layer} | {key: group.attrs[key] for key in ("module", "channels", "positions")}
        for clusters in store.read_labels(group).values():
            row = mutual.against_chance(
                classes, clusters, estimator, params.permutations, params.seed, params.simulations
            )
            rows.append(about | row | {"depth": group.attrs["depth"]})
        followed = variation.by_clusters(group["tree"][:], classes, params.largest_k, estimator)
        by_k += [about | row for row in followed]
tables.write(snakemake.output.information, rows, job.about())
tables.write(snakemake.output.by_k, by_k, job.about())
