"""Euclidean and cosine RDM of one layer, condensed, from one pass over its Gram matrices."""

from texalign import job

job.start(snakemake)

from texalign import store
from texalign.geometry import distances
from texalign.gram import representations

with (
    store.open_h5(snakemake.input.gram, strided=True) as source,
    store.create_h5(snakemake.output[0], job.about()) as file,
):
    layer = source[snakemake.wildcards.layer]
    rows = representations.rows(layer, snakemake.wildcards.representation)
    names = store.row_names(source, snakemake.wildcards.layer, layer.attrs["module"])
    store.write_rdm(file, rows.shape[0], distances.rdm_blocks(rows, names))
    store.copy_labels(source, layer, file)
