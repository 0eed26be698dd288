"""The study's figures of uncertainty: intervals, information by number of clusters, recovered classes."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables, views
from texalign.figures import alignment, clusters, information, style

inputs, output = snakemake.input, snakemake.output
study = escaping.unescape(snakemake.params.study)
table = tables.read(inputs.information)
main = table[table["k"] == table["n_classes"]]
best = tables.best_layers(main)

figure = information.mutual_information_by_layer(main, study, intervals=True)
style.save(figure, pdf=output.intervals, png=output.intervals_png)
figure = information.information_by_clusters(tables.read(inputs.by_k), best, study, table)
style.save(figure, pdf=output.by_k, png=output.by_k_png)
order, shown = style.table_styles(best, study)
recovery = views.recovery(tables.read(inputs.classes), best)[list(order)]
figure = clusters.class_recovery(recovery, [shown[network] for network in order])
style.save(figure, pdf=output.classes, png=output.classes_png)
figure = alignment.correlation_by_layer(tables.read(inputs.uncertainty))
style.save(figure, pdf=output.correlation, png=output.correlation_png)
