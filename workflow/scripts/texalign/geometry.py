"""Packed Gram matrices → RDMs, Ward trees, clusterings."""

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import scipy.cluster.hierarchy
from scipy.linalg.blas import dsyrk, ssyrk
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from texalign import InputError
from texalign.files import scratch as scratch_file

log = logging.getLogger(__name__)

METRICS = ("euclidean", "cosine")

#: Columns that are read at once. Products of so many float32 columns lose few digits; the sum over
#: the slabs is kept in float64.
SLAB = 4096

#: A squared distance below this share of the two squared norms has lost too many digits in the
#: float32 products, and is computed again from float64 differences.
NEAR = 1e-3

#: The same for float64 products, used where too many pairs are near for the differences.
NEAR_FLOAT64 = 1e-9


def condensed_length(n):
    """Count the pairs of n textures, n(n-1)/2."""
    return n * (n - 1) // 2


def rdm(rows, metric="euclidean"):
    """Representational dissimilarity matrix of packed Gram matrices, condensed.

    Parameters
    ----------
    rows : array or h5py.Dataset, shape (n, D)
        One packed Gram matrix a row. It is read by slabs of columns.
    metric : {'euclidean', 'cosine'}
        Frobenius distance of the Gram matrices, or one minus the cosine of the angle between them.

    Returns
    -------
    array, shape (n(n-1)/2,), float32
        In the order of `scipy.spatial.distance.pdist`.

    Raises
    ------
    InputError
        Unknown metric, or a row of zeros with the cosine metric, or values that are not finite.

    See Also
    --------
    rdms : both metrics in one pass, and the accuracy that is promised.
    """
    if metric not in METRICS:
        raise InputError(f"metric: {metric!r} is not allowed; use one of {', '.join(METRICS)}")
    squared, across, norms2 = _distances(rows)
    return _root(squared) if metric == "euclidean" else _cosine(across, norms2).astype(np.float32)


def rdms(rows):
    """Euclidean and cosine RDM from one streamed pass, accurate for near-duplicates too.

    Distances come from inner products, d² = gᵢᵢ + gⱼⱼ - 2gᵢⱼ, of rows centred on their mean, which
    changes no distance and saves digits. Pairs whose d² (or, for the cosine, whose part of d²
    across the rows' directions) is below `NEAR` (gᵢᵢ + gⱼⱼ) are computed again from float64
    differences in a second pass; where these are too many, the products are taken in float64 first.

    Accuracy: a relative error below 1e-3 for every Euclidean distance; for the cosine distance too,
    as long as it is above 1e-9. (Below 5e-3 where a row's values are all the same, as no Gram
    matrix's are: float32 sums of equal terms round all one way.)

    Parameters
    ----------
    rows : array or h5py.Dataset, shape (n, D)

    Returns
    -------
    euclidean, cosine : array, shape (n(n-1)/2,), float32
    squared_norms : array, shape (n,), float64
        ‖Gᵢ‖², the rows' squared Euclidean norms.
    """
    squared, across, norms2 = _distances(rows)
    cosine = _cosine(across, norms2).astype(np.float32)
    return _root(squared), cosine, norms2


def _distances(rows):
    """d², its part across the rows' directions, d² - (‖Gᵢ‖ - ‖Gⱼ‖)², and ‖Gᵢ‖², in float64."""
    n = rows.shape[0]
    squared, norms2, centred2 = _squared_distances(rows, np.float32)
    near = _near_pairs(squared, norms2, centred2, NEAR)
    if len(near) > condensed_length(n) // 64 + 1000:
        log.info("%d of %d pairs are near-duplicates: products in float64", len(near), len(squared))
        squared, norms2, centred2 = _squared_distances(rows, np.float64)
        near = _near_pairs(squared, norms2, centred2, NEAR_FLOAT64)
    across = _across(squared, norms2)
    if len(near):
        log.info("%d of %d pairs computed again from differences", len(near), len(squared))
        squared[near], across[near] = _exact_pairs(rows, near, norms2)
    return squared, across, norms2


def _root(squared):
    """√d² as float32, in the memory of d²."""
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared).astype(np.float32)


def _slabs(rows):
    for first in range(0, rows.shape[1], SLAB):
        yield rows[:, first : first + SLAB]


def _squared_distances(rows, dtype):
    """Condensed squared distances, squared norms, and squared norms of the centred rows, in float64."""
    n = rows.shape[0]
    syrk = ssyrk if dtype == np.float32 else dsyrk
    products, norms2 = np.zeros((n, n)), np.zeros(n)
    for slab in _slabs(rows):
        slab = np.ascontiguousarray(slab, dtype)
        # In float64: at small angles the cosine hangs on the last digits of the norms.
        norms2 += np.einsum("ij,ij->i", slab, slab, dtype=np.float64)
        # Not in place: the slab may be the caller's own array.
        slab = slab - slab.mean(axis=0, dtype=np.float64).astype(dtype)
        scale = _power_of_two(slab)
        slab /= scale
        # In C's order this fills the upper triangle.
        products += np.float64(scale) ** 2 * syrk(1.0, slab.T, trans=1, lower=1).T
    if not np.isfinite(norms2).all():
        row = int(np.argmin(np.isfinite(norms2)))
        raise InputError(f"row {row}: the Gram matrix is not finite; are the weights sound?")
    centred2 = products.diagonal().copy()
    squared = np.empty(condensed_length(n))
    for i, part in _condensed_rows(n):
        squared[part] = centred2[i] + centred2[i + 1 :] - 2 * products[i, i + 1 :]
    return squared, norms2, centred2


def _power_of_two(values):
    """Divide by this, and squares neither overflow nor lose digits: untrained deep networks reach 1e19."""
    largest = np.abs(values).max()
    finite = np.isfinite(largest) and largest > 0
    return values.dtype.type(2.0 ** np.floor(np.log2(largest)) if finite else 1)


def _condensed_rows(n):
    """Yield (i, slice) with the slice of a condensed matrix that holds the pairs (i, i+1 ... n-1)."""
    end = 0
    for i in range(n - 1):
        start, end = end, end + n - 1 - i
        yield i, slice(start, end)


def _across(squared, norms2):
    """d² - (‖Gᵢ‖ - ‖Gⱼ‖)² of every pair, condensed."""
    norms = np.sqrt(norms2)
    across = np.empty_like(squared)
    for i, part in _condensed_rows(len(norms)):
        np.subtract(squared[part], np.square(norms[i] - norms[i + 1 :]), out=across[part])
    return across


def _near_pairs(squared, norms2, centred2, share):
    """Condensed indices of the pairs whose distance, or angle, has lost its digits."""
    norms = np.sqrt(norms2)
    near = []
    for i, part in _condensed_rows(len(norms)):
        across = squared[part] - np.square(norms[i] - norms[i + 1 :])
        found = np.flatnonzero(across < share * (centred2[i] + centred2[i + 1 :]))
        near.append(found + part.start)
    return np.concatenate(near) if near else np.empty(0, int)


def pairs_of(indices, n):
    """Rows (i, j), i < j, of condensed indices."""
    starts = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])
    i = np.searchsorted(starts, indices, side="right") - 1
    return i, indices - starts[i] + i + 1


def _exact_pairs(rows, near, norms2, chunk=1024):
    """d² and its part across the directions, of some pairs, from float64 differences in one more pass.

    The latter is ‖Gᵢ‖ ‖Gⱼ‖ times the squared distance of the two rows scaled to norm one: the
    difference of d² and (‖Gᵢ‖ - ‖Gⱼ‖)² has no digits left where the norms differ a lot.
    """
    i, j = pairs_of(near, rows.shape[0])
    squared, chord2 = np.zeros(len(near)), np.zeros(len(near))
    norms = np.sqrt(norms2)
    scales = 1 / np.where(norms > 0, norms, 1)[:, None]
    for slab in _slabs(rows):
        for first in range(0, len(near), chunk):
            part = slice(first, first + chunk)
            a, b = slab[i[part]].astype(np.float64), slab[j[part]].astype(np.float64)
            difference = a - b
            squared[part] += np.einsum("ij,ij->i", difference, difference)
            a *= scales[i[part]]
            b *= scales[j[part]]
            a -= b
            chord2[part] += np.einsum("ij,ij->i", a, a)
    return squared, chord2 * norms[i] * norms[j]


def _cosine(across, norms2):
    """1 - cos = (d² - (‖Gᵢ‖ - ‖Gⱼ‖)²) / (2 ‖Gᵢ‖ ‖Gⱼ‖), condensed, in the memory of `across`."""
    norms = np.sqrt(norms2)
    if (norms == 0).any():
        row = int(np.argmin(norms))
        raise InputError(
            f"row {row}: the Gram matrix is all zeros, so it has no angle; is the image one flat colour?"
        )
    for i, part in _condensed_rows(len(norms)):
        across[part] /= 2 * norms[i] * norms[i + 1 :]
    return np.clip(across, 0, 2, out=across)


def square(condensed):
    """Condensed → square (n, n), symmetric with zeros on the diagonal, in the same dtype."""
    n = (1 + int(np.sqrt(1 + 8 * len(condensed)))) // 2
    full = np.zeros((n, n), condensed.dtype)
    for i, part in _condensed_rows(n):
        full[i, i + 1 :] = full[i + 1 :, i] = condensed[part]
    return full


CLUSTERINGS = ("gram", "rdm_rows", "cosine")


def clustering_distances(on, euclidean, cosine):
    """Euclidean distances that Ward's criterion is run on.

    Parameters
    ----------
    on : {'gram', 'rdm_rows', 'cosine'}
        `gram`: the Gram matrices as vectors. `rdm_rows`: each texture described by its row of the
        Euclidean RDM. `cosine`: the Gram matrices scaled to norm one, whose distance is the chord
        √(2 (1 - cos)); Ward's criterion means nothing on the cosine distance itself.
    euclidean, cosine : array, shape (n(n-1)/2,)

    Returns
    -------
    array, shape (n(n-1)/2,)
    """
    if on == "gram":
        return euclidean
    if on == "rdm_rows":
        return rdm(square(euclidean))
    if on == "cosine":
        return np.sqrt(2 * cosine)
    raise InputError(f"clustering: on: {on!r} is not allowed; use one of {', '.join(CLUSTERINGS)}")


def ward_tree(euclidean):
    """Ward's tree of condensed Euclidean distances (paper, 4.5), which holds the clusterings of every k.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,)

    Returns
    -------
    array, shape (n-1, 4), float64
        SciPy's linkage matrix: the two nodes merged, the height, the size.
    """
    return scipy.cluster.hierarchy.linkage(np.asarray(euclidean, dtype=np.float64), method="ward")


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
    parents = np.repeat(np.arange(n, n + merges), 2)
    children = tree[:merges, :2].astype(int).ravel()
    nodes = n + merges
    graph = coo_matrix((np.ones(len(parents), bool), (children, parents)), shape=(nodes, nodes))
    labels = connected_components(graph, directed=False)[1][:n]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int32)


CORRELATIONS = ("spearman", "pearson")

#: Values of all RDMs that are multiplied at once.
PRODUCT_BLOCK = 2**25


def class_identity_rdm(classes):
    """RDM of the classes themselves, condensed: 0 within a class, 1 between classes; float32."""
    classes = np.asarray(classes)
    pairs = np.empty(condensed_length(len(classes)), np.float32)
    for i, part in _condensed_rows(len(classes)):
        pairs[part] = classes[i] != classes[i + 1 :]
    return pairs


def second_order(rdms, m, length, correlation="spearman", scratch=None, threads=1):
    """Correlate RDMs with each other, over all pairs of textures.

    Parameters
    ----------
    rdms : iterable of array, shape (length,)
        m condensed RDMs, one after the other. As many as threads are in memory at a time.
    m, length : int
    correlation : {'spearman', 'pearson'}
        `spearman` takes average ranks where distances tie.
    scratch : str or Path, optional
        Folder for m x length float32 values while this runs.
    threads : int, optional
        RDMs that are ranked side by side.

    Returns
    -------
    array, shape (m, m)
        NaN for an RDM whose distances are all the same.
    """
    if correlation not in CORRELATIONS:
        raise InputError(f"correlation: {correlation!r} is not allowed; use one of {', '.join(CORRELATIONS)}")
    with scratch_file(scratch, 4 * m * length) as file:
        # Plain reads and writes: the pages of a memory map would count as this job's memory.
        for values in _side_by_side(partial(_standardized, correlation=correlation), rdms, threads):
            file.write(values)
        products = np.zeros((m, m))
        step = max(1, PRODUCT_BLOCK // m)
        for first in range(0, length, step):
            block = np.empty((m, min(step, length - first)), np.float32)
            for row in range(m):
                file.seek(4 * (row * length + first))
                block[row] = np.fromfile(file, np.float32, block.shape[1])
            products += block @ block.T
    return np.clip(products, -1, 1)


def _side_by_side(function, items, threads):
    """``map(function, items)`` by threads, with as many items as threads in memory."""
    with ThreadPoolExecutor(threads) as pool:
        running = deque()
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) == threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _standardized(values, correlation):
    """Values or ranks with mean zero and norm one, as float32; NaN where all are the same."""
    values = _ranks(values) if correlation == "spearman" else np.asarray(values, np.float64)
    # The mean of equal values may differ from them in the last digit.
    constant = values.min() == values.max()
    values = np.full_like(values, np.nan) if constant else values - values.mean()
    return (values / np.linalg.norm(values)).astype(np.float32)


def _ranks(values):
    """Average ranks, from 0, as float64."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(values)]])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((starts[:-1] + starts[1:] - 1) / 2, np.diff(starts))
    return ranks
