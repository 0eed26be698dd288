"""What people, images and networks tell of the classes, side by side."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import references, style

study = escaping.unescape(snakemake.params.study)
figure = references.beside_people(tables.read(snakemake.input.references), study)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
