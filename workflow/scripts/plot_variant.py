"""A variant's figures: information by layer (Fig. 2), and its best layers against scores (Fig. 3)."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import alignment, information, style

inputs, output = snakemake.input, snakemake.output
study = escaping.unescape(snakemake.params.study)
table = tables.read(inputs.information)
main = table[table["k"] == (snakemake.params.k or table["n_classes"])]
figure = information.mutual_information_by_layer(main, study)
style.save(figure, pdf=output.information, png=output.information_png)
figure = alignment.brainscore_panels(tables.read(inputs.networks), tables.read(inputs.correlation), study)
style.save(figure, pdf=output.brainscore, png=output.brainscore_png)
