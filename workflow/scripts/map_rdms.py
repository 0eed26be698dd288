"""A map of the RDMs of all networks and layers, of the classes, and of people."""

from texalign import job

job.start(snakemake)

from texalign import escaping, store, tables, views
from texalign.figures import rdms, style

inputs, output = snakemake.input, snakemake.output
study, labels = escaping.unescape(snakemake.params.study), escaping.unescape(snakemake.params.labels)
with store.open_h5(inputs.second_order) as source:
    compared, how = store.read_second_order(source), source.attrs["correlation"]
people = tables.read(inputs.human) if inputs.human else None
if people is not None and how != "spearman":
    job.log.warning("people are left out of the map: their RDMs are compared by ranks, the networks' are not")
    people = None
table = views.second_order_map(compared, people)
tables.write(output.table, table, job.about())
style.save(rdms.second_order_map(table, study, labels), pdf=output.pdf, png=output.png)
