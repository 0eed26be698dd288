"""One table of all scores: a row a synthetic image and scoring network."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import files

losses = pd.concat(pd.read_csv(path) for path in snakemake.input.losses)
distances = pd.concat(pd.read_csv(path) for path in snakemake.input.distances)
scores = losses.merge(distances, on=["texture", "network", "seed"], how="left", validate="many_to_one")
with files.whole(snakemake.output[0]) as path:
    scores.to_csv(path, index=False)
