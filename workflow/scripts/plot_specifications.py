"""The specification curve: best information and correlations under every set of choices."""

from texalign import job

job.start(snakemake)

from texalign import tables, views
from texalign.figures import multiverse, style

inputs = snakemake.input
best, correlations = tables.read(inputs.networks), tables.read(inputs.correlations)
figure = multiverse.specification_curve(
    views.specifications(best, correlations),
    tables.read(inputs.mean),
    tables.read(inputs.null),
    tables.read(inputs.effects),
)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
