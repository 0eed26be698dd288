"""Ward's tree of one layer's textures, which holds the clusterings of every k."""

from texalign import job

job.start(snakemake)

from texalign import geometry, store

with store.open_h5(snakemake.input.rdm) as source, store.create_h5(snakemake.output[0]) as file:
    distances = geometry.clustering_distances(
        snakemake.wildcards.clustering, source["euclidean"][:], source["cosine"][:]
    )
    file["tree"] = geometry.ward_tree(distances)
    store.copy_labels(source, source, file)
