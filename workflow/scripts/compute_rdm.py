"""Euclidean and cosine RDM of one layer, condensed, from one pass over its Gram matrices."""

from texalign import job

job.start(snakemake)

from texalign import geometry, store

with (
    store.open_h5(snakemake.input.gram, strided=True) as source,
    store.create_h5(snakemake.output[0]) as file,
):
    layer = source[snakemake.wildcards.layer]
    euclidean, cosine, squared_norms = geometry.rdms(layer["gram"])
    file["euclidean"], file["cosine"], file["squared_norms"] = euclidean, cosine, squared_norms
    store.copy_labels(source, layer, file)
