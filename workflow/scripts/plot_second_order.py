"""How alike the RDMs of all networks and layers are, and how like the classes."""

from texalign import job

job.start(snakemake)

from texalign import plots, store

with store.open_h5(snakemake.input.rdms) as source:
    networks, layers = store.read_texts(source, "network"), store.read_texts(source, "layer")
    matrix, identity = source["second_order"][:], source["class_identity"][:]
    correlation = source.attrs["correlation"]
names = [snakemake.params.labels[network] for network in networks]
labels = [f"{name} {layer}" for name, layer in zip(names, layers, strict=True)]
figure = plots.second_order(matrix, labels, names, identity, f"{correlation.capitalize()} correlation")
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
