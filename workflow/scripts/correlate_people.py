"""Correlation of each network's best agreement with people with its scores, joined by key."""

from texalign import job

job.start(snakemake)

from texalign import alignment, tables

params = snakemake.params
scores = alignment.score_table(params.scores, params.metrics)
table = alignment.people_against_scores(tables.read(snakemake.input.agreement), scores)
tables.write(snakemake.output[0], table, job.about())
