"""One network's information when random halves of the textures are clustered anew."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import store, tables
from texalign.geometry import ward
from texalign.information import variation

params, wildcards = snakemake.params, snakemake.wildcards
rows = []
with store.open_h5(snakemake.input.clusters) as source:
    for path in snakemake.input.rdms:
        layer = Path(path).stem
        _, classes = store.read_keys(source[layer])
        labels = store.read_labels(source[layer])[len(set(classes))]
        with store.open_h5(path) as rdm:
            distances = ward.clustering_distances(wildcards.clustering, rdm)
        row = variation.on_halves(distances, classes, labels, params.halves, params.seed, wildcards.estimator)
        rows.append({"layer": layer, "module": source[layer].attrs["module"]} | row)
tables.write(snakemake.output[0], rows, job.about())
