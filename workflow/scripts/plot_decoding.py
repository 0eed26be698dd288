"""Accuracy of linear decoding by layer."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import decoding, style

study = escaping.unescape(snakemake.params.study)
figure = decoding.accuracy_by_layer(tables.read(snakemake.input.table), study)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
