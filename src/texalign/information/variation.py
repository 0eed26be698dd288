"""How information depends on the number of clusters, and on which textures are clustered."""

import numpy as np

from texalign.geometry.condensed import part_of
from texalign.geometry.ward import cut, ward_tree
from texalign.information.agreement import adjusted_mutual_information
from texalign.information.contingency import adjusted_rand, contingency
from texalign.information.mutual import columns, mutual_information, resampled_information


def by_clusters(tree, classes, largest=100, estimator="nsb"):
    """Information for every number of clusters, all from one tree.

    Parameters
    ----------
    tree : array, shape (n-1, 4)
        As `texalign.geometry.ward.ward_tree` gives it.
    classes : array_like, shape (n,)
    largest : int
        Numbers of clusters from 1 on, at most n; the number of classes is made besides.
    estimator : str
        See `texalign.information.mutual.mutual_information`.

    Returns
    -------
    list of dict
        A row a number of clusters; columns as in the study's table, without a null.
        `adjusted_mutual_information` can be compared between numbers of clusters, bits cannot: they rise
        with them.
    """
    rows = []
    for k in sorted({*range(1, min(largest, len(classes)) + 1), len(np.unique(classes))}):
        clusters = cut(tree, k)
        mi, table = mutual_information(classes, clusters, estimator), contingency(classes, clusters)
        rows.append(
            {
                **columns(mi, estimator),
                "k": k,
                "adjusted_rand": adjusted_rand(table),
                "adjusted_mutual_information": adjusted_mutual_information(table),
            }
        )
    return rows


def on_halves(euclidean, classes, clusters, repeats=10, seed=0, estimator="nsb"):
    """Cluster random halves of the textures anew, the same share of every class.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,)
        The condensed distances that the clusters come from.
    classes, clusters : array_like, shape (n,)
    repeats, seed : int
    estimator : str

    Returns
    -------
    dict
        ``half_n``, textures of a half; ``half_repeats``; ``half_bits`` and ``half_std_bits``, mean and
        spread of the information of halves with their own clusters; ``half_rand``, the mean adjusted Rand
        index of these clusters with those that the same textures have in the whole set.

    Notes
    -----
    Halves that are drawn without replacement spread about as much as whole sets drawn anew would (the
    jackknife that leaves out half), so that ``half_std_bits`` has both the choice of textures and the
    instability of the tree in it.
    """
    classes, clusters = np.asarray(classes), np.asarray(clusters)
    generator, euclidean = np.random.default_rng(seed), np.asarray(euclidean)
    members = [np.flatnonzero(classes == name) for name in np.unique(classes)]
    k, bits, rand, half = len(np.unique(clusters)), [], [], None
    for _ in range(repeats):
        half = np.sort(
            np.concatenate([generator.permutation(found)[: -(-len(found) // 2)] for found in members])
        )
        part = part_of(euclidean, half, len(classes))
        anew = cut(ward_tree(part, overwrite=True), min(k, len(half)))
        bits.append(mutual_information(classes[half], anew, estimator).bits)
        rand.append(adjusted_rand(contingency(clusters[half], anew)))
    return {
        "k": k,
        "half_n": len(half),
        "half_repeats": repeats,
        "half_bits": float(np.mean(bits)),
        "half_std_bits": float(np.std(bits, ddof=1)),
        "half_rand": float(np.mean(rand)),
    }


def difference(classes, clusters, others, repeats=100, seed=0, estimator="nsb"):
    """Compare what two clusterings of the same textures tell of their classes.

    Parameters
    ----------
    classes, clusters, others : array_like, shape (n,)
    repeats, seed : int
        Of textures drawn anew, the same for both: see `texalign.information.mutual.resampled_information`.
    estimator : str

    Returns
    -------
    dict
        ``other_bits``, information of `others`; ``difference_bits``, how much more `clusters` have;
        ``difference_std_bits``, spread of the difference over textures drawn anew; ``rand``, the adjusted
        Rand index of both.
    """
    ours, theirs = (mutual_information(classes, labels, estimator).bits for labels in (clusters, others))
    drawn, theirs_drawn = (
        resampled_information(classes, labels, repeats, seed, estimator) for labels in (clusters, others)
    )
    return {
        "other_bits": theirs,
        "difference_bits": ours - theirs,
        "difference_std_bits": float(np.std(drawn - theirs_drawn, ddof=1)) if repeats > 1 else np.nan,
        "rand": adjusted_rand(contingency(clusters, others)),
    }
