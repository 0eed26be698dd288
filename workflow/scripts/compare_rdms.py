"""Second-order comparison: how alike the RDMs of all networks and layers are, and how like the classes."""

from texalign import job

job.start(snakemake)

from pathlib import Path

import numpy as np

from texalign import store
from texalign.geometry import compare, distances
from texalign.geometry.condensed import condensed_length, pairs_of

inputs, params = snakemake.input, snakemake.params
own, every = list(inputs.rdms), [*inputs.rdms, *inputs.controls]
files, classes = store.common_keys(every)
n, n_pairs, sums = len(classes), condensed_length(len(classes)), []
pairs = compare.sample_pairs(n_pairs, params.pairs, params.seed)
if pairs is not None:
    job.log.info("%d of %d pairs of textures, drawn with seed %d", len(pairs), n_pairs, params.seed)
ends = None if pairs is None else pairs_of(pairs, n)


def vectors():
    """Give one condensed RDM after the other: of networks, of the classes, of controls."""
    for path in job.progress([*own, None, *inputs.controls], len(every) + 1, "RDMs"):
        if path is None:
            yield compare.class_identity_rdm(classes, pairs)
            continue
        with store.open_h5(path) as source:
            if params.metric == "cosine":
                names = store.row_names(source, Path(path).stem, source.attrs["module"])
                distances.check_angles(source["squared_norms"][:], names)
            yield compare.values_at(source[params.metric], pairs)


def compared(paths):
    """Give what is stored of the first or of all RDMs."""
    networks, layers = zip(*((Path(path).parent.name, Path(path).stem) for path in paths), strict=True)
    rows = np.delete(np.arange(len(matrix)), len(own))[: len(paths)]
    return store.SecondOrder(networks, layers, tuple(paths), matrix[rows][:, rows], matrix[len(own), rows])


matrix = compare.second_order(
    vectors(),
    len(every) + 1,
    n_pairs if pairs is None else len(pairs),
    params.correlation,
    snakemake.resources.tmpdir,
    snakemake.threads,
    len(inputs.controls),
    lambda values: sums.append(compare.gathered(values, n, ends)),
)
of_classes = sums.pop(len(own))
with store.create_h5(snakemake.output[0], job.about()) as file:
    store.write_second_order(file, compared(own))
    store.write_with_controls(file, compared(every), [compare.chance_spread(a, of_classes, n) for a in sums])
    store.write_keys(file, files, classes)
    file.attrs.update(metric=params.metric, correlation=params.correlation, pairs=min(n_pairs, params.pairs))
