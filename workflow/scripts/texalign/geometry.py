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
from scipy.spatial.distance import pdist

from texalign import InputError
from texalign.files import scratch as scratch_file

log = logging.getLogger(__name__)

METRICS = ("euclidean", "cosine")

#: Columns that are read at once. Products of so many float32 columns lose few digits; the sum over
#: the slabs is kept in float64.
SLAB = 4096

#: A squared distance below this share of the two squared norms, of what is left of the rows across
#: their mean, has lost too many digits in the float32 products; it is taken again from differences.
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
    squared, chord2, norms2 = _distances(rows)
    return _root(squared) if metric == "euclidean" else _cosine(chord2, norms2)


def rdms(rows):
    """Euclidean and cosine RDM from one streamed pass, accurate for near-duplicates too.

    Distances come from inner products, d² = gᵢᵢ + gⱼⱼ - 2gᵢⱼ. In each slab of columns the rows' part
    along their mean, by far the largest where a network gives all textures nearly the same Gram
    matrix, goes apart: one number a row, in float64. Only what is left across it goes into float32
    products. The same products, scaled by the rows' norms, give the squared chord 2 (1 - cos).
    Pairs whose d² or chord is below `NEAR` times the two squared norms of what is left are computed
    again from float64 differences in a second pass; where these are too many, the products are
    taken in float64 first.

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
    squared, chord2, norms2 = _distances(rows)
    return _root(squared), _cosine(chord2, norms2), norms2


def _distances(rows):
    """d², the squared distance of the rows scaled to norm one, both condensed, and ‖Gᵢ‖², in float64."""
    *products, norms2 = _products(rows, np.float32)
    squared, chord2, near = _from_products(*products, norms2, NEAR)
    if len(near) > len(squared) // 64 + 1000:
        log.info("%d of %d pairs are near-duplicates: products in float64", len(near), len(squared))
        *products, norms2 = _products(rows, np.float64)
        squared, chord2, near = _from_products(*products, norms2, NEAR_FLOAT64)
    if len(near):
        log.info("%d of %d pairs computed again from differences", len(near), len(squared))
        squared[near], chord2[near] = _exact_pairs(rows, near, norms2)
    return squared, chord2, norms2


def _root(squared):
    """√d² as float32, in the memory of d²."""
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared).astype(np.float32)


def _slabs(rows):
    for first in range(0, rows.shape[1], SLAB):
        yield rows[:, first : first + SLAB]


def _products(rows, dtype):
    """Inner products of the rows, by slabs of columns: their part along the mean, and across it.

    Returns
    -------
    along : array, shape (n, slabs)
        What the rows have along the slabs' mean directions.
    across : array, shape (n(n-1)/2,)
        Inner products of what is left, taken in `dtype` within a slab; condensed.
    across2, norms2 : array, shape (n,)
        Squared norms of what is left, and of the rows.
    """
    n = rows.shape[0]
    syrk = ssyrk if dtype == np.float32 else dsyrk
    along, across = [], np.zeros(condensed_length(n))
    across2, norms2 = np.zeros(n), np.zeros(n)
    products = np.zeros((n, n), dtype)  # one for all slabs: new memory costs a tenth of a product
    for slab in _slabs(rows):
        coordinates, rest, slab_norms2 = _split(slab, dtype)
        along.append(coordinates)
        norms2 += slab_norms2
        if not np.isfinite(norms2).all():
            row = int(np.argmin(np.isfinite(norms2)))
            raise InputError(f"row {row}: the Gram matrix is not finite; are the weights sound?")
        scale = _power_of_two(slab_norms2)
        if scale != 1:
            rest /= scale
        # In C's order this fills the upper triangle.
        products = syrk(1.0, rest.T, c=products.T, trans=1, lower=1, overwrite_c=1).T
        scale2 = np.float64(scale) ** 2
        across2 += scale2 * products.diagonal()
        for i, part in _condensed_rows(n):
            across[part] += scale2 * products[i, i + 1 :]
    return np.stack(along, axis=1), across, across2, norms2


@np.errstate(invalid="ignore")  # rows that are not finite are told of by their norms
def _split(slab, dtype):
    """Take rows apart along (n,) and across (n, columns) their mean, with their squared norms (n,).

    In float64: at small angles the cosine hangs on the last digits. By a few rows at a time, that
    they stay in the processor's cache.
    """
    # Any direction will do, so that of some rows' mean is good enough.
    mean = slab[:: -(-len(slab) // 256)].mean(axis=0, dtype=np.float64)
    direction = mean / (np.linalg.norm(mean) or 1)
    along, norms2, across = np.empty(len(slab)), np.empty(len(slab)), np.empty(slab.shape, dtype)
    for first in range(0, len(slab), 32):
        part = slice(first, first + 32)
        block = slab[part].astype(np.float64)
        norms2[part] = np.einsum("ij,ij->i", block, block)
        # Not by BLAS, in which equal rows may give unequal sums.
        along[part] = np.einsum("ij,j->i", block, direction)
        np.subtract(block, np.outer(along[part], direction), out=across[part], casting="same_kind")
    return along, across, norms2


def _divisors(norms2):
    """Norms to divide rows by; 1 for a row of zeros."""
    return np.sqrt(np.where(norms2 > 0, norms2, 1))


def _from_products(along, across, across2, norms2, share):
    """Squared distances and chords, condensed; condensed indices of pairs that have lost their digits."""
    norms = _divisors(norms2)
    squared = pdist(along, "sqeuclidean")
    chord2 = pdist(along / norms[:, None], "sqeuclidean")
    scaled2 = across2 / norms**2
    near = [np.empty(0, int)]
    for i, part in _condensed_rows(len(norms)):
        sizes, scaled = across2[i] + across2[i + 1 :], scaled2[i] + scaled2[i + 1 :]
        squared[part] += sizes - 2 * across[part]
        chord2[part] += scaled - 2 * across[part] / (norms[i] * norms[i + 1 :])
        lost = (squared[part] < share * sizes) | (chord2[part] < share * scaled)
        near.append(np.flatnonzero(lost) + part.start)
    return squared, chord2, np.concatenate(near)


def _power_of_two(norms2):
    """Divide by this where squares of rows with these squared norms would leave float32's range.

    Untrained deep networks reach 1e19.
    """
    largest = np.sqrt(norms2.max())
    tame = 1e-6 < largest < 1e15 or largest == 0 or not np.isfinite(largest)
    return 1.0 if tame else 2.0 ** np.floor(np.log2(largest))


def _condensed_rows(n):
    """Yield (i, slice) with the slice of a condensed matrix that holds the pairs (i, i+1 ... n-1)."""
    end = 0
    for i in range(n - 1):
        start, end = end, end + n - 1 - i
        yield i, slice(start, end)


def pairs_of(indices, n):
    """Rows (i, j), i < j, of condensed indices."""
    starts = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])
    i = np.searchsorted(starts, indices, side="right") - 1
    return i, indices - starts[i] + i + 1


def _exact_pairs(rows, near, norms2, chunk=1024):
    """Squared distances and chords of some pairs, from float64 differences in one more pass."""
    i, j = pairs_of(near, rows.shape[0])
    squared, chord2 = np.zeros(len(near)), np.zeros(len(near))
    scales = 1 / _divisors(norms2)[:, None]
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
    return squared, chord2


def _cosine(chord2, norms2):
    """1 - cos = chord² / 2 as float32, in the memory of `chord2`."""
    if (norms2 == 0).any():
        row = int(np.argmin(norms2))
        raise InputError(
            f"row {row}: the Gram matrix is all zeros, so it has no angle; is the image one flat colour?"
        )
    chord2 /= 2
    return np.clip(chord2, 0, 2, out=chord2).astype(np.float32)


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
