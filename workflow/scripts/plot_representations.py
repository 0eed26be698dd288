"""Which representation recovers more of the classes: beside Gram matrices, and by layer."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import representations, style

study = escaping.unescape(snakemake.params.study)
figure = representations.beside_gram(tables.read(snakemake.input.table), study)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
