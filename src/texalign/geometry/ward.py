"""Ward's clustering: one tree, cut at every number of clusters."""

import numpy as np

from texalign.errors import InputError
from texalign.geometry import distances
from texalign.geometry.condensed import condensed_length, square

CLUSTERINGS = ("gram", "rdm_rows", "cosine")


def clustering_distances(on, rdm, names=None):
    """Euclidean distances that Ward's criterion is run on.

    Parameters
    ----------
    on : {'gram', 'rdm_rows', 'cosine'}
        `gram`: the Gram matrices as vectors. `rdm_rows`: each texture described by its row of the
        Euclidean RDM. `cosine`: the Gram matrices scaled to norm one, whose distance is the chord
        √(2 (1 - cos)); Ward's criterion means nothing on the cosine distance itself.
    rdm : mapping of str to array or h5py.Dataset, shape (n(n-1)/2,)
        The condensed RDMs ``euclidean`` and ``cosine``, and the rows' ``squared_norms``; only what is
        needed is read.
    names : sequence of str, optional
        What the textures are called in errors.

    Returns
    -------
    array, shape (n(n-1)/2,)

    Raises
    ------
    InputError
        `on` is unknown; or it is `cosine`, and a Gram matrix of zeros has no angle.
    """
    if on == "gram":
        return rdm["euclidean"][:]
    if on == "rdm_rows":
        return distances.rdm(square(rdm["euclidean"][:]))
    if on == "cosine":
        cosine = rdm["cosine"][:]
        if np.isnan(cosine).any():
            distances.check_angles(rdm["squared_norms"][:], names)
        return np.sqrt(2 * cosine)
    raise InputError(f"clustering: on: {on!r} is not allowed; use one of {', '.join(CLUSTERINGS)}")


#: Up to so many textures, the tree is SciPy's, in 10 n² bytes; of more, it grows in the distances' memory.
IN_SCIPY = 20_000


def ward_tree(euclidean, overwrite=False):
    """Ward's tree of condensed Euclidean distances (paper, 4.5), which holds the clusterings of every k.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,)
    overwrite : bool, optional
        Whether the distances are no longer needed.

    Returns
    -------
    array, shape (n-1, 4), float64
        SciPy's linkage matrix: the two nodes merged, the height, the size. Above `IN_SCIPY` textures from
        float32 distances.
    """
    if condensed_length(IN_SCIPY) < len(euclidean):
        from texalign.geometry.chain import ward_in_place  # compiles, so only where it is wanted

        return ward_in_place(np.array(euclidean, np.float32, copy=None if overwrite else True))
    from scipy.cluster.hierarchy import linkage  # a quarter of a second that cutting a tree does without

    return linkage(np.asarray(euclidean, dtype=np.float64), method="ward")


def cut(tree, k):
    """Labels of exactly k clusters: the tree's first n - k merges are made.

    Unlike a cut at a height, this gives k clusters also where heights tie (duplicate images).

    Parameters
    ----------
    tree : array, shape (n-1, 4)
    k : int, 1 ≤ k ≤ n

    Returns
    -------
    array, shape (n,), int32
        0 ... k-1, numbered in the order of their first texture.
    """
    n = len(tree) + 1
    if not 1 <= k <= n:
        raise InputError(f"clustering: k: {k} clusters of {n} textures are not possible; use 1 ... {n}")
    merges = n - k
    above = np.arange(n + merges)
    above[tree[:merges, :2].astype(int).ravel()] = np.repeat(np.arange(n, n + merges), 2)
    while not np.array_equal(above, higher := above[above]):  # twice as far up each time, to the roots
        above = higher
    _, first, inverse = np.unique(above[:n], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int32)
