"""Euclidean and cosine RDM of one layer, condensed, from one pass over its rows in a representation."""

from texalign import job

job.start(snakemake)

from texalign import store
from texalign.geometry import distances
from texalign.gram import representations

wildcards = snakemake.wildcards
with (
    store.open_h5(snakemake.input.rows, strided=True) as source,
    store.create_h5(snakemake.output[0], job.about()) as file,
):
    layer = source[wildcards.layer]
    names = store.row_names(source, wildcards.layer, layer.attrs["module"])
    with representations.rows(layer, wildcards.representation, snakemake.resources.tmpdir, names) as rows:
        store.write_rdm(file, rows.shape[0], distances.rdm_blocks(rows, names))
    store.copy_labels(source, layer, file)
