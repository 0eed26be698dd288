"""The papers' correlations beside this study's, metric by metric."""

from texalign import job

job.start(snakemake)

from texalign import alignment, tables

correlations = tables.read(snakemake.input.correlation)
table = alignment.against_published(snakemake.params.published, correlations)
tables.write(snakemake.output[0], table, job.about())
