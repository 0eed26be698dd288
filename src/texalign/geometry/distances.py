"""RDMs of packed Gram matrices: Euclidean and cosine, streamed, accurate for near-duplicates."""

import logging

import numpy as np

from texalign.errors import InputError
from texalign.geometry.condensed import condensed_length, condensed_rows, pairs_of, pairs_with, start_of

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

#: Up to so many textures, all pairs are computed at once, in 15 n² bytes; of more, by some rows at a time.
AT_ONCE = 20_000

#: Up to so many textures, inner products are NumPy's.
FEW = 1000

#: Bytes for the rows that are computed at a time, 20 for each of their pairs.
BLOCK_BYTES = 6e9


def rdm(rows, metric="euclidean", names=None):
    """Representational dissimilarity matrix of packed Gram matrices, condensed.

    Parameters
    ----------
    rows : array or h5py.Dataset, shape (n, D)
        One packed Gram matrix a row. It is read by slabs of columns.
    metric : {'euclidean', 'cosine'}
        Frobenius distance of the Gram matrices, or one minus the cosine of the angle between them.
    names : sequence of str, optional
        What the rows are called in errors: their files.

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
    squared, chord2, norms2 = _distances(rows, names)
    if metric == "euclidean":
        return _root(squared)
    check_angles(norms2, names)
    return _cosine(chord2, norms2)


def rdms(rows, names=None):
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
    names : sequence of str, optional
        What the rows are called in errors: their files.

    Returns
    -------
    euclidean, cosine : array, shape (n(n-1)/2,), float32
        A row of zeros has no angle: its cosine distances are NaN, which is told in the log.
    squared_norms : array, shape (n,), float64
        ‖Gᵢ‖², the rows' squared Euclidean norms.

    Raises
    ------
    InputError
        Values that are not finite.
    """
    euclidean, cosine = (np.empty(condensed_length(rows.shape[0]), np.float32) for _ in METRICS)
    for part, *values, norms2_of_all in rdm_blocks(rows, names):
        euclidean[part], cosine[part] = values
        norms2 = norms2_of_all
    return euclidean, cosine, norms2


def rdm_blocks(rows, names=None):
    """Give the values of `rdms` by parts, which are written one after the other.

    Up to `AT_ONCE` textures there is one part.

    Parameters
    ----------
    rows, names
        As in `rdms`. Each part reads the rows again.

    Yields
    ------
    part : slice
        Where the values lie in the condensed RDM.
    euclidean, cosine : arrays, float32
    squared_norms : array, shape (n,), float64
        The same each time.
    """
    n = rows.shape[0]
    if n > AT_ONCE:
        yield from _by_blocks(rows, names, max(1, int(BLOCK_BYTES // (20 * n))))
        return
    squared, chord2, norms2 = _distances(rows, names)
    _tell_zeros(norms2, names)
    yield slice(0, len(squared)), _root(squared), _cosine(chord2, norms2), norms2


def _tell_zeros(norms2, names):
    if not norms2.all():
        log.warning("%s", _no_angle(norms2, names))


def _by_blocks(rows, names, step):
    """`rdm_blocks` for `step` rows at a time, each with all rows that follow it."""
    n, norms2 = rows.shape[0], None
    for first in range(0, n - 1, step):
        last = min(first + step, n - 1)
        for dtype, share in ((np.float32, NEAR), (np.float64, NEAR_FLOAT64)):
            *products, here = _block_products(rows, first, last, dtype, names)
            if norms2 is None:
                norms2 = here
                _tell_zeros(norms2, names)
            squared, chord2, near = _block_distances(*products, norms2[first:], share)
            if len(near) <= len(squared) // 64 + 1000:
                break
        start = start_of(first, n)
        if len(near):
            log.info("%d of %d pairs computed again from differences", len(near), len(squared))
            squared[near], chord2[near] = _exact_pairs(rows, near + start, norms2)
        part = slice(start, start + len(squared))
        cosine = np.clip(chord2 / 2, 0, 2, out=chord2)
        for row, pairs in _block_rows(first, last, n):
            cosine[pairs][(norms2[row] == 0) | (norms2[row + 1 :] == 0)] = np.nan
        yield part, np.sqrt(np.maximum(squared, 0, out=squared), out=squared), cosine, norms2


def _block_rows(first, last, n):
    """Yield (i, slice) with the slice of a block's values that holds the pairs (i, i+1 ... n-1)."""
    end = 0
    for i in range(first, last):
        start, end = end, end + n - 1 - i
        yield i, slice(start, end)


def _block_products(rows, first, last, dtype, names=None):
    """`_products` of the rows `first` to `last` with all from `first` on, in their order."""
    n = rows.shape[0] - first
    along, across = [], np.zeros((last - first, n))
    across2, norms2 = np.zeros(n), np.zeros(n)
    products = np.empty(across.shape, dtype)
    for coordinates, rest, scale2 in _split_slabs(rows, first, dtype, norms2, names):
        along.append(coordinates)
        np.matmul(rest[: last - first], rest.T, out=products)
        across2 += scale2 * np.einsum("ij,ij->i", rest, rest, dtype=np.float64)
        for row, product in zip(across, products, strict=True):  # no temporary as large as both
            row += scale2 * product
    return np.stack(along, axis=1), across, across2, norms2


def _block_distances(along, across, across2, norms2, share):
    """`_from_products` for the first rows, in float32; the indices are those within the block."""
    norms = _divisors(norms2)
    scaled_along, scaled2 = along / norms[:, None], across2 / norms**2
    n = len(norms)
    size = condensed_length(n) - condensed_length(n - len(across))
    squared, chord2 = np.empty(size, np.float32), np.empty(size, np.float32)
    near = [np.empty(0, int)]
    for i, part in _block_rows(0, len(across), n):
        others, inner = slice(i + 1, n), across[i, i + 1 :]
        sizes, scaled = across2[i] + across2[others], scaled2[i] + scaled2[others]
        d2 = _squared(along, i) + sizes - 2 * inner
        c2 = _squared(scaled_along, i) + scaled - 2 * inner / (norms[i] * norms[others])
        near.append(np.flatnonzero((d2 < share * sizes) | (c2 < share * scaled)) + part.start)
        squared[part], chord2[part] = d2, c2
    return squared, chord2, np.concatenate(near)


def check_angles(norms2, names=None):
    """Refuse a row of zeros, where an angle is asked for.

    Parameters
    ----------
    norms2 : array, shape (n,)
        Squared norms of the rows.
    names : sequence of str, optional

    Raises
    ------
    InputError
        It names the row.
    """
    if not np.all(norms2):
        raise InputError(_no_angle(norms2, names))


def _no_angle(norms2, names):
    zeros = np.flatnonzero(np.asarray(norms2) == 0)
    more = f" (and {len(zeros) - 1} more)" if len(zeros) > 1 else ""
    return (
        f"{_called(zeros[0], names)}: the Gram matrix is all zeros{more}, so it has no angle; "
        "is the image one flat colour?"
    )


def _called(row, names):
    return f"row {row}" if names is None else str(names[row])


def _distances(rows, names=None):
    """d², the squared distance of the rows scaled to norm one, both condensed, and ‖Gᵢ‖², in float64."""
    *products, norms2 = _products(rows, np.float32, names)
    squared, chord2, near = _from_products(*products, norms2, NEAR)
    if len(near) > len(squared) // 64 + 1000:
        log.info("%d of %d pairs are near-duplicates: products in float64", len(near), len(squared))
        *products, norms2 = _products(rows, np.float64, names)
        squared, chord2, near = _from_products(*products, norms2, NEAR_FLOAT64)
    if len(near):
        log.info("%d of %d pairs computed again from differences", len(near), len(squared))
        squared[near], chord2[near] = _exact_pairs(rows, near, norms2)
    return squared, chord2, norms2


def _root(squared):
    """√d² as float32, in the memory of d²."""
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared).astype(np.float32)


def _slabs(rows, first_row=0):
    for first in range(0, rows.shape[1], SLAB):
        yield rows[first_row:, first : first + SLAB]


def _split_slabs(rows, first_row, dtype, norms2, names):
    """Yield the rows of each slab along and across their mean, and the square that the latter lack."""
    for slab in _slabs(rows, first_row):
        along, rest, slab_norms2 = _split(slab, dtype)
        norms2 += slab_norms2
        _check_finite(norms2, names)
        scale = _power_of_two(slab_norms2)
        if scale != 1:
            rest /= scale
        yield along, rest, np.float64(scale) ** 2


def _check_finite(norms2, names):
    if not np.isfinite(norms2).all():
        row = int(np.argmin(np.isfinite(norms2)))
        raise InputError(
            f"{_called(row, names)}: the Gram matrix is not finite (NaN or too large); are the weights sound?"
        )


def _products(rows, dtype, names=None):
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
    along, across = [], np.zeros(condensed_length(n))
    across2, norms2 = np.zeros(n), np.zeros(n)
    products = np.zeros((n, n), dtype)  # one for all slabs: new memory costs a tenth of a product
    for coordinates, rest, scale2 in _split_slabs(rows, 0, dtype, norms2, names):
        along.append(coordinates)
        products = _inner_products(rest, products)
        across2 += scale2 * products.diagonal()
        for i, part in condensed_rows(n):
            across[part] += scale2 * products[i, i + 1 :]
    return np.stack(along, axis=1), across, across2, norms2


def _inner_products(rows, out):
    """Inner products of rows by BLAS's syrk, in the memory of `out`; below the diagonal anything may stand.

    NumPy calls it too, for what is multiplied by itself, and copies one triangle to the other: where rows are
    few, in less time than SciPy's import takes.
    """
    if len(rows) <= FEW:
        return np.matmul(rows, rows.T, out=out)
    from scipy.linalg.blas import dsyrk, ssyrk

    syrk = ssyrk if rows.dtype == np.float32 else dsyrk
    # In C's order this fills the upper triangle.
    return syrk(1.0, rows.T, c=out.T, trans=1, lower=1, overwrite_c=1).T


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
    scaled_along, scaled2 = along / norms[:, None], across2 / norms**2
    squared, chord2 = np.empty_like(across), np.empty_like(across)
    near = [np.empty(0, int)]
    for i, part in condensed_rows(len(norms)):
        sizes, scaled = across2[i] + across2[i + 1 :], scaled2[i] + scaled2[i + 1 :]
        squared[part] = _squared(along, i) + sizes - 2 * across[part]
        chord2[part] = _squared(scaled_along, i) + scaled - 2 * across[part] / (norms[i] * norms[i + 1 :])
        lost = (squared[part] < share * sizes) | (chord2[part] < share * scaled)
        near.append(np.flatnonzero(lost) + part.start)
    return squared, chord2, np.concatenate(near)


def _squared(points, i):
    """Squared distances of point i and those behind it."""
    difference = points[i + 1 :] - points[i]
    return np.einsum("ij,ij->i", difference, difference)


def _power_of_two(norms2):
    """Divide by this where squares of rows with these squared norms would leave float32's range.

    Untrained deep networks reach 1e19.
    """
    largest = np.sqrt(norms2.max())
    tame = 1e-6 < largest < 1e15 or largest == 0 or not np.isfinite(largest)
    return 1.0 if tame else 2.0 ** np.floor(np.log2(largest))


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
    """1 - cos = chord² / 2 as float32, in the memory of `chord2`; NaN where a row has no angle."""
    chord2 /= 2
    np.clip(chord2, 0, 2, out=chord2)
    for zero in np.flatnonzero(norms2 == 0):
        chord2[pairs_with(zero, len(norms2))] = np.nan
    return chord2.astype(np.float32)
