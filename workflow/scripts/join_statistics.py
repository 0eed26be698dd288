"""The study's tables of information by number of clusters, of halves, and of classes: all networks in one."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from texalign import tables

names = pd.DataFrame.from_dict(snakemake.params.names, orient="index").rename_axis("network").reset_index()
for kind in ("by_k", "halves", "classes"):
    rows = pd.concat(tables.read(path).assign(network=Path(path).stem) for path in snakemake.input[kind])
    tables.write(snakemake.output[kind], names.merge(rows, on="network"), job.about())
