"""Every network's images under every network, and their losses against those to be expected."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import style, synthesis

labels = escaping.unescape(snakemake.params.labels)
figure = synthesis.scores(tables.read(snakemake.input.scores), labels)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
