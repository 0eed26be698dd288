"""Second-order comparison: how alike the RDMs of all networks and layers are, and how like the classes."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import geometry, store

paths, metric = snakemake.input.rdms, snakemake.params.metric
files, classes = store.common_keys(paths)


def vectors():
    """Give one condensed RDM after the other, the classes' own last."""
    for path in job.progress(paths, len(paths), "RDMs"):
        with store.open_h5(path) as source:
            yield source[metric][:]
    yield geometry.class_identity_rdm(classes)


matrix = geometry.second_order(
    vectors(),
    len(paths) + 1,
    geometry.condensed_length(len(classes)),
    snakemake.params.correlation,
    snakemake.resources.tmpdir,
    snakemake.threads,
)
with store.create_h5(snakemake.output[0]) as file:
    file["second_order"], file["class_identity"] = matrix[:-1, :-1], matrix[-1, :-1]
    store.write_texts(file, "network", [Path(path).parent.name for path in paths])
    store.write_texts(file, "layer", [Path(path).stem for path in paths])
    store.write_texts(file, "path", paths)
    store.write_keys(file, files, classes)
    file.attrs.update(metric=metric, correlation=snakemake.params.correlation, versions=store.versions())
