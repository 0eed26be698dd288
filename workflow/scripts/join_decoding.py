"""The study's table of decoding: a row a network and layer."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables

params = snakemake.params
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
rows = pd.concat(tables.read(path).assign(network=Path(path).stem) for path in snakemake.input.decoded)
names.insert(4, "control", names["network"].isin(params.controls))
tables.write(snakemake.output[0], names.merge(rows, on="network", validate="one_to_many"), job.about())
