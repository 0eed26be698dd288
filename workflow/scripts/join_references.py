"""What people, images and networks tell of the classes, side by side; what the choice of a layer does."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import alignment, tables

params, inputs, output = snakemake.params, snakemake.input, snakemake.output
information = tables.read(inputs.information)
main = information[information["k"] == information["n_classes"]]
selected = alignment.selected_layers(main)
parts = [selected.assign(what=selected["control"].map({True: "control", False: "network"}))]
for path in inputs.references:
    rows, name = tables.read(path), Path(path).stem
    rows = rows[rows["k"] == rows["n_classes"]]
    about = {"network": name, "label": params.labels[name], "what": params.what[name], "selection": ""}
    parts.append(rows.assign(**about, control=False, family=params.what[name], weights=params.what[name]))
table = pd.concat(parts, ignore_index=True)
first = ["what", "network", "label", "family", "weights", "control", "selection"]
tables.write(output.references, table[[*first, *table.columns.difference(first, sort=False)]], job.about())
scores = alignment.score_table(params.scores, params.metrics)
tables.write(output.selection, alignment.by_selection(selected, scores), job.about())
