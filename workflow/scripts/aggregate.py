"""The study at one glance: RDMs, information and alignment, joined by network and layer."""

from texalign import job

job.start(snakemake)

from texalign import alignment, store, tables

information, scored = tables.read(snakemake.input.information), tables.read(snakemake.input.networks)
metrics = tables.read(snakemake.input.correlation)["metric"]
with store.open_h5(snakemake.input.second_order) as source:
    compared, keys = store.read_second_order(source), store.read_keys(source)
    drawn = store.read_with_controls(source)
    about = {key: source.attrs[key] for key in ("metric", "correlation")}

summary = alignment.summary(information, scored, compared, metrics)
if snakemake.input.human:
    summary = alignment.with_people(summary, tables.read(snakemake.input.human))
tables.write(snakemake.output.summary, summary, job.about())
with store.create_h5(snakemake.output.rdms, job.about()) as file:
    store.write_second_order(file, compared)
    store.write_with_controls(file, *drawn)
    store.write_keys(file, *keys)
    bits = summary.set_index(["network", "layer"])["mi_bits"]
    file["mi_bits"] = bits.loc[list(zip(compared.networks, compared.layers, strict=True))].to_numpy()
    file.attrs.update(about)
job.log.info("%d RDMs of %d textures", len(compared.paths), len(keys[0]))
