"""Ward's tree of each layer of one network, and its cuts: as many clusters as classes, and each asked k."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import store
from texalign.geometry import ward

with store.create_h5(snakemake.output[0], job.about()) as file:
    for path in snakemake.input.rdms:
        group = file.create_group(Path(path).stem)
        with store.open_h5(path) as source:
            store.copy_labels(source, source, group)
            names = store.row_names(source, Path(path).stem, source.attrs["module"])
            compared = ward.clustering_distances(snakemake.wildcards.clustering, source, names)
            tree = ward.ward_tree(compared, overwrite=True)
            n_classes = len(set(store.read_keys(source)[1]))
        group["tree"] = tree
        for k in sorted({n_classes, *snakemake.params.k}):
            store.write_labels(group, k, ward.cut(tree, k))
