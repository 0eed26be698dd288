"""Second-order comparison: how alike the RDMs of all networks and layers are, and how like the classes."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import store
from texalign.geometry import compare, distances
from texalign.geometry.condensed import condensed_length

paths, params = snakemake.input.rdms, snakemake.params
files, classes = store.common_keys(paths)
n_pairs = condensed_length(len(classes))
pairs = compare.sample_pairs(n_pairs, params.pairs, params.seed)
if pairs is not None:
    job.log.info("%d of %d pairs of textures, drawn with seed %d", len(pairs), n_pairs, params.seed)


def vectors():
    """Give one condensed RDM after the other, the classes' own last."""
    for path in job.progress(paths, len(paths), "RDMs"):
        with store.open_h5(path) as source:
            if params.metric == "cosine":
                names = store.row_names(source, Path(path).stem, source.attrs["module"])
                distances.check_angles(source["squared_norms"][:], names)
            yield compare.values_at(source[params.metric], pairs)
    yield compare.class_identity_rdm(classes, pairs)


matrix = compare.second_order(
    vectors(),
    len(paths) + 1,
    n_pairs if pairs is None else len(pairs),
    params.correlation,
    snakemake.resources.tmpdir,
    snakemake.threads,
)
with store.create_h5(snakemake.output[0], job.about()) as file:
    networks, layers = zip(*((Path(path).parent.name, Path(path).stem) for path in paths), strict=True)
    compared = store.SecondOrder(networks, layers, tuple(paths), matrix[:-1, :-1], matrix[-1, :-1])
    store.write_second_order(file, compared)
    store.write_keys(file, files, classes)
    file.attrs.update(metric=params.metric, correlation=params.correlation, pairs=min(n_pairs, params.pairs))
