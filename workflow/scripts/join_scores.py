"""One table of all scores: a row a synthetic image and scoring network."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import tables

losses = pd.concat(map(tables.read, snakemake.input.losses))
distances = pd.concat(map(tables.read, snakemake.input.distances))
scores = losses.merge(distances, on=["texture", "network", "seed"], how="left", validate="many_to_one")
tables.write(snakemake.output[0], scores, job.about())
