"""One network's clusters in a representation beside those of its Gram matrices, on the same textures."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import numpy as np

from texalign import store, tables
from texalign.geometry import condensed, ward
from texalign.information import variation

params, wildcards = snakemake.params, snakemake.wildcards
rows = []
with store.open_h5(snakemake.input.clusters) as ours, store.open_h5(snakemake.input.gram) as grams:
    for path in snakemake.input.rdms:
        layer = Path(path).stem
        files, classes = store.read_keys(ours[layer])
        k = len(set(classes))
        of_gram, every = store.read_labels(grams[layer]), store.read_keys(grams[layer])[0]
        place = {file: i for i, file in enumerate(every)}
        if len(files) == len(every):
            others = of_gram[k][[place[file] for file in files]]
        else:  # clusters of a part of the textures are not a part of the clusters
            kept = np.array([place[file] for file in files])
            with store.open_h5(path) as rdm:
                part = {
                    name: condensed.part_of(rdm[name][:], kept, len(every))
                    for name in ("euclidean", "cosine")
                }
            others = ward.cut(ward.ward_tree(ward.clustering_distances(wildcards.clustering, part)), k)
        found = variation.difference(
            classes,
            store.read_labels(ours[layer])[k],
            others,
            params.repeats,
            params.seed,
            wildcards.estimator,
        )
        rows.append({"layer": layer} | found)
tables.write(snakemake.output[0], rows, job.about())
