"""The study's table of mutual information: a row a network, layer and number of clusters."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables

params = snakemake.params
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
measured = pd.concat(
    tables.read(path).assign(network=Path(path).stem) for path in snakemake.input.information
)
for column in ("clustering", "readout"):
    measured.insert(measured.columns.get_loc("adjusted_rand") + 1, column, params[column])
information = names.merge(measured, on="network", validate="one_to_many")
information.insert(4, "control", information["network"].isin(params.controls))
if params.get("k"):
    information = information[information["k"] == params.k]
tables.write(snakemake.output[0], information, job.about())
