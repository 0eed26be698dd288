"""How far networks, images and classes agree with people, and people with each other: two tables."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables

params, inputs, output = snakemake.params, snakemake.input, snakemake.output
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
names.insert(4, "control", names["network"].isin(params.controls))

bits = []
for path in inputs.information:
    rows = tables.read(path)
    rows = rows[rows["k"] == rows["n_classes"]].rename(columns={"module": "words"})
    kept = ("mi_bits", "mi_low_bits", "mi_high_bits", "mi_plugin_bits", "h_class_bits")
    bits.append(rows[["words", "k", "n_classes", *kept]].assign(reference=Path(path).stem))
known = []
for path in inputs.reliability:
    reference = Path(path).parent.name
    rows = tables.read(path)
    rows.insert(0, "kind", params.references[reference])
    rows.insert(0, "reference", reference)
    known.append(rows)
references = pd.concat(known, ignore_index=True)
if bits:
    references = references.merge(pd.concat(bits), "left", ["reference", "words"], validate="many_to_one")
tables.write(output.references, references, job.about())

found = [
    tables.read(path).assign(network=Path(path).stem, reference=Path(path).parts[-4])
    for path in inputs.agreement
]
table = pd.concat(found).merge(names, "left", "network", validate="many_to_one")
ceilings = references[["reference", "words", "level", "ceiling", "ceiling_low", "ceiling_high"]]
table = table.merge(ceilings, "left", ["reference", "words", "level"], validate="many_to_one")
table.insert(0, "kind", table["reference"].map(params.references))
first = ["reference", "kind", "words", "level", *names.columns, "layer", "module", "n", "score"]
tables.write(output.agreement, table[[*first, *table.columns.difference(first, sort=False)]], job.about())
