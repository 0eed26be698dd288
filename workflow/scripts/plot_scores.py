"""Every network's images under every network, and their losses against those to be expected."""

from texalign import job

job.start(snakemake)

from texalign import tables
from texalign.figures import style, synthesis

figure = synthesis.scores(tables.read(snakemake.input.scores), snakemake.params.labels)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
