"""One table of all scores: a row a synthetic image and scoring network."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import tables

losses = pd.concat(map(tables.read, snakemake.input.losses))
distances = pd.concat(map(tables.read, snakemake.input.distances))
keys = ["texture", "network", "seed", "method"]
scores = losses.merge(distances, on=keys, how="left", validate="many_to_one")
# What a table of an earlier version had comes first.
later = ["method", "diversity", "nearest_patch", "copied_patch"]
scores = scores[[column for column in scores if column not in later] + later]
tables.write(snakemake.output[0], scores, job.about())
