"""The papers' correlations beside this study's, as a figure."""

from texalign import job

job.start(snakemake)

from texalign import tables
from texalign.figures import alignment, style

figure = alignment.published_against_ours(tables.read(snakemake.input.published))
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
