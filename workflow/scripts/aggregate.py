"""The study's joined tables: mutual information, the RDMs' index, the correlation with Brain-Score."""

from texalign import job

job.start(snakemake)

import shutil
from pathlib import Path

import pandas as pd

from texalign import alignment, files, store

params = snakemake.params
names = pd.DataFrame.from_dict(params.names, orient="index").rename_axis("network").reset_index()
measured = pd.concat(
    pd.read_csv(path).assign(network=Path(path).stem) for path in snakemake.input.information
).assign(readout=params.readout, clustering=params.clustering)
information = names.merge(measured, on="network", validate="one_to_many")
information.insert(4, "control", information["network"].isin(params.controls))

main = information[(information["k"] == information["n_classes"]) & ~information["control"]]
scores = alignment.read_scores(snakemake.input.scores)
joined = alignment.join_scores(alignment.best_layers(main), scores)
correlation = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
for network in joined.loc[~joined["scored"], "network"]:
    job.log.warning("%s has no row in %s: it is listed without scores", network, snakemake.input.scores)

for table, path in [
    (information, snakemake.output.information),
    (joined, snakemake.output.networks),
    (correlation, snakemake.output.correlation),
]:
    with files.whole(path) as temporary:
        table.to_csv(temporary, index=False)
with files.whole(snakemake.output.rdms) as temporary:
    shutil.copyfile(snakemake.input.second_order, temporary)
with store.open_h5(snakemake.output.rdms) as index:
    job.log.info("%d RDMs of %d textures", len(index["network"]), len(index["file"]))
