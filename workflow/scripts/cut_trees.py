"""Cluster labels of one network: a group a layer, `k<k>` for the number of classes and each asked k."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import geometry, store

with store.create_h5(snakemake.output[0]) as file:
    for path in snakemake.input.trees:
        with store.open_h5(path) as source:
            group = file.create_group(Path(path).stem)
            store.copy_labels(source, source, group)
            n_classes = len(set(store.read_keys(source)[1]))
            for k in sorted({n_classes, *snakemake.params.k}):
                group[f"k{k}"] = geometry.cut(source["tree"][:], k)
