"""The study's table of representations: a row a representation, network and layer."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables

params, inputs = snakemake.params, snakemake.input
parts = []
for path, beside in zip(inputs.information, inputs.beside, strict=True):
    *_, representation, _clustering, _estimator, name = Path(path).parts
    rows = tables.read(path)
    rows = rows[rows["k"] == rows["n_classes"]].merge(tables.read(beside), on="layer", validate="one_to_one")
    rows.insert(0, "network", name.removesuffix(".csv"))
    rows.insert(0, "representation", representation)
    parts.append(rows.rename(columns={"other_bits": "gram_mi_bits", "rand": "gram_rand"}))
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
names.insert(4, "control", names["network"].isin(params.controls))
table = pd.concat(parts).merge(names, on="network", validate="many_to_one")
first = ["representation", *names.columns]
tables.write(snakemake.output[0], table[[*first, *table.columns.difference(first, sort=False)]], job.about())
