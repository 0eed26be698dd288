"""Mutual information of clusters and classes for every layer and k of one network, with its null."""

from texalign import job

job.start(snakemake)

import pandas as pd
from sklearn.metrics import adjusted_rand_score

from texalign import files, information, store

params = snakemake.params
rows = []
with store.open_h5(snakemake.input.clusters) as source:
    for layer, group in source.items():
        _, classes = store.read_keys(group)
        for name in sorted((key for key in group if key.startswith("k")), key=lambda key: int(key[1:])):
            clusters = group[name][:]
            mi = information.mutual_information(classes, clusters, params.estimator)
            null = information.null_information(
                classes, clusters, params.permutations, params.seed, params.estimator
            )
            attributes = {key: group.attrs[key] for key in ("module", "channels", "positions")}
            rows.append(
                {"layer": layer, **attributes, "k": mi.n_clusters, "n": mi.n, "n_classes": mi.n_classes}
                | {"estimator": params.estimator, "mi_bits": mi.bits, "mi_std_bits": mi.sd_bits}
                | {"mi_plugin_bits": mi.plugin_bits, "h_class_bits": mi.h_class_bits}
                | {"h_cluster_bits": mi.h_cluster_bits, "max_bits": mi.max_bits}
                | {"mi_null_bits": null.mean(), "mi_null_std_bits": null.std()}
                | {"adjusted_rand": adjusted_rand_score(classes, clusters)}
            )
with files.whole(snakemake.output[0]) as path:
    pd.DataFrame(rows).to_csv(path, index=False)
