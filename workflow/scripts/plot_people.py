"""How far each layer agrees with people, beside what people's own agreement allows."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import human, style

inputs, params = snakemake.input, snakemake.params
study, labels = escaping.unescape(params.study), escaping.unescape(params.labels)
figure = human.agreement_by_layer(tables.read(inputs.agreement), study, labels)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
