"""The study's tables by number of clusters, of halves, of classes and their pairs, of every image."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import store, tables
from texalign.information.classes import chance_together

inputs, output = snakemake.input, snakemake.output
clusters, chance = [], []
for path in inputs.clusters:
    with store.open_h5(path) as source:
        for layer in sorted(source, key=tables.natural):
            files, classes = store.read_keys(source[layer])
            where = {"network": Path(path).stem, "layer": layer}
            for k, labels in store.read_labels(source[layer]).items():
                rows = pd.DataFrame({"k": k, "file": files, "class": classes, "cluster": labels})
                clusters.append(pd.DataFrame(where, rows.index).join(rows))
                if k == len(set(classes)):
                    chance.append(where | {"chance": chance_together(labels)})
tables.write(output.clusters, pd.concat(clusters), job.about())

names = pd.DataFrame.from_dict(snakemake.params.names, orient="index").rename_axis("network").reset_index()
for kind in ("by_k", "halves", "classes", "confusions"):
    rows = pd.concat(tables.read(path).assign(network=Path(path).stem) for path in inputs[kind])
    if kind == "confusions":
        rows = rows.merge(pd.DataFrame(chance), on=["network", "layer"])
        rows["times_chance"] = rows["together"] / rows["chance"].where(rows["chance"] > 0)
    tables.write(output[kind], names.merge(rows, on="network"), job.about())
