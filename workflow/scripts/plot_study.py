"""The study's figures: information by layer (Fig. 2), the comparison of RDMs, Brain-Score (Fig. 3)."""

from texalign import job

job.start(snakemake)

from texalign import escaping, store, tables
from texalign.figures import alignment, information, rdms, style
from texalign.plan.labels import labels

inputs, output = snakemake.input, snakemake.output
study = escaping.unescape(snakemake.params.study)
shown = labels(study)
table = tables.read(inputs.information)
figure = information.mutual_information_by_layer(table[table["k"] == table["n_classes"]], study)
style.save(figure, pdf=output.information, png=output.information_png)

with store.open_h5(inputs.rdms) as source:
    compared, chance = store.read_with_controls(source)
    measure = source.attrs["correlation"].capitalize()
controls = sum(study[name]["control"] for name in compared.networks)
figure = rdms.second_order(
    compared.matrix,
    [f"{shown[name]} {layer}" for name, layer in zip(compared.networks, compared.layers, strict=True)],
    [shown[name] for name in compared.networks],
    compared.class_identity,
    f"{measure} correlation",
    chance,
    controls,
)
style.save(figure, pdf=output.second_order, png=output.second_order_png)

figure = alignment.brainscore_panels(tables.read(inputs.networks), tables.read(inputs.correlation), study)
style.save(figure, pdf=output.brainscore, png=output.brainscore_png)
