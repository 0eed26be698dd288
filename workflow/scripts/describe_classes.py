"""One network's clusters, image by image and class by class: labels, confused pairs, typical images."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import store, tables
from texalign.information import classes as described

labels, confusions, classes = [], [], []
with store.open_h5(snakemake.input.clusters) as source:
    for path in snakemake.input.rdms:
        layer = Path(path).stem
        files, names = store.read_keys(source[layer])
        clusters = store.read_labels(source[layer])[len(set(names))]
        with store.open_h5(path) as rdm:
            own, others, nearest = described.typicality(rdm["euclidean"][:], names)
        columns = ("file", "class", "cluster", "own_distance", "nearest_class", "nearest_distance")
        rows = zip(files, names, clusters, own, others, nearest, strict=True)
        labels += [{"layer": layer} | dict(zip(columns, row, strict=True)) for row in rows]
        confusions += [{"layer": layer} | row for row in described.confusions(names, clusters)]
        classes += [{"layer": layer} | row for row in described.recovered(names, clusters)]
for name, rows in (("labels", labels), ("confusions", confusions), ("classes", classes)):
    tables.write(snakemake.output[name], rows, job.about())
