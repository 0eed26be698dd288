"""What of a layer's feature maps is compared: rows whose Euclidean distances make the RDM.

All but one come from the stored Gram matrices G = F Fᵀ and channel means μ of maps with M positions, without
another forward pass. They are made while they are read, a slab of columns at a time, so that a layer's rows
need not fit into memory.
"""

import contextlib
import itertools

import numpy as np

from texalign import files
from texalign.errors import InputError
from texalign.gram.packing import SQRT2, diagonal, n_packed, pack, unpack

#: A channel whose variance is below this share of its power is constant: float32 has rounded more away.
CONSTANT = 1e-5

#: Added to each matrix before its logarithm, in units of its mean eigenvalue. What float32 has rounded away,
#: 1e-7 of the largest eigenvalue, is below a hundredth of it up to 1000 channels.
REGULARISATION = 1e-2

#: Columns that are read at once where a whole pass goes over the rows; textures that are worked on at once.
_SLAB, _BLOCK = 4096, 64


class Rows:
    """Rows that are made from stored ones when a slab of columns is read.

    Parameters
    ----------
    shape : tuple
        (n, D).
    read : callable
        ``read(first, last)`` gives the columns from `first` to before `last`, shape (n, last - first).
    """

    def __init__(self, shape, read):
        self.shape, self._read = shape, read

    def __getitem__(self, key):
        some, columns = key
        if columns.step not in (None, 1):
            raise IndexError("rows are read as rows[some, first:last]")
        first, last, _ = columns.indices(self.shape[1])
        return self._read(first, last)[some]


def gram(layer, _stack, _scratch, _names):
    """Take the packed Gram matrices themselves, shape (n, N(N+1)/2); they are read by slabs."""
    return layer["gram"]


def covariance(layer, _stack, _scratch, _names):
    """Covariance matrices of the channels over positions, G/M - μμᵀ, packed as Gram matrices are."""
    means = layer["mean"][:].astype(np.float64)
    return _of_pairs(layer, 1 / layer.attrs["positions"], means, means)


def correlation(layer, _stack, _scratch, _names):
    """Correlation matrices of the channels over positions, packed; those of a constant channel are 0."""
    means = layer["mean"][:].astype(np.float64)
    scales = _inverse(deviations(layer))
    ones = scales > 0
    return _of_pairs(layer, 1 / layer.attrs["positions"], means * scales, means * scales, scales, ones)


def mean(layer, _stack, _scratch, _names):
    """Means of the channels, shape (n, N)."""
    return layer["mean"]


def mean_std(layer, _stack, _scratch, _names):
    """Means and standard deviations of the channels, shape (n, 2N)."""
    return np.concatenate([layer["mean"][:], deviations(layer).astype(np.float32)], axis=1)


def log_gram(layer, stack, scratch, names):
    """Logarithms of the Gram matrices, packed: their distance is the log-Euclidean one [1]_.

    Each G/M is regularised by `REGULARISATION` times its mean eigenvalue, as feature maps of fewer positions
    than channels have Gram matrices without a logarithm.

    References
    ----------
    .. [1] Arsigny et al. (2007), "Geometric means in a novel vector space structure on symmetric
       positive-definite matrices", SIAM J. Matrix Anal. Appl. 29.
    """
    stored, positions = layer["gram"], layer.attrs["positions"]
    n, length = stored.shape
    edges = [*range(0, length, _SLAB), length]
    file = stack.enter_context(files.scratch(scratch, 4 * n * length))
    for start in range(0, n, _BLOCK):
        block = np.array(stored[start : start + _BLOCK])
        for i, row in enumerate(block):
            if not row.any():
                name = f"row {start + i}" if names is None else names[start + i]
                raise InputError(
                    f"{name}: the Gram matrix is all zeros, so it has no logarithm; is the image one flat "
                    "colour?"
                )
            block[i] = pack(log_regularised(unpack(row.astype(np.float64)) / positions, rank=positions))
        for first, last in itertools.pairwise(edges):  # slab behind slab, as they are read
            file.seek(4 * (n * first + start * (last - first)))
            file.write(np.ascontiguousarray(block[:, first:last]))

    def read(first, last):
        if first % _SLAB or last != min(first + _SLAB, length):
            raise IndexError(f"rows are read by slabs of {_SLAB} columns")
        file.seek(4 * n * first)
        return np.fromfile(file, np.float32, n * (last - first)).reshape(n, last - first)

    return Rows((n, length), read)


def sliced_wasserstein(layer, _stack, _scratch, _names):
    """Quantiles of the maps along random directions, stored by another pass: see `texalign.gram.sliced`."""
    return layer["quantiles"]


#: A representation's name in the config and in paths → a function from a layer of a Gram file to rows.
REPRESENTATIONS = {
    "gram": gram,
    "covariance": covariance,
    "correlation": correlation,
    "mean": mean,
    "mean_std": mean_std,
    "log_gram": log_gram,
    "sliced_wasserstein": sliced_wasserstein,
}


@contextlib.contextmanager
def rows(layer, representation, scratch=None, names=None):
    """Open the rows of a representation of one layer.

    Parameters
    ----------
    layer : h5py.Group
        A layer of a Gram file, see `texalign.store.gram_writers`; for ``sliced_wasserstein``, of a file of
        quantiles.
    representation : str
        A key of `REPRESENTATIONS`.
    scratch : str or Path, optional
        Folder for what ``log_gram`` makes, as much as the layer's Gram matrices, while the rows are open.
    names : sequence of str, optional
        What the rows are called in errors.

    Yields
    ------
    array, h5py.Dataset or Rows, shape (n, D)
        Read it as ``rows[:, first:last]``.

    Raises
    ------
    InputError
        There is no such representation; or, for ``log_gram``, a Gram matrix is all zeros.
    """
    if representation not in REPRESENTATIONS:
        allowed = ", ".join(REPRESENTATIONS)
        raise InputError(f"representation: {representation!r} is not allowed; use one of {allowed}")
    with contextlib.ExitStack() as stack:
        yield REPRESENTATIONS[representation](layer, stack, scratch, names)


def deviations(layer):
    """Compute standard deviations of the channels over positions, from one pass over the Gram matrices.

    Parameters
    ----------
    layer : h5py.Group

    Returns
    -------
    array, shape (n, N), float64
        0 for a channel whose variance is below `CONSTANT` of its power.
    """
    stored, means = layer["gram"], layer["mean"][:].astype(np.float64)
    places = diagonal(means.shape[1])
    power = np.empty_like(means)
    for first in range(0, stored.shape[1], _SLAB):
        here = np.flatnonzero((places >= first) & (places < first + _SLAB))
        power[:, here] = stored[:, first : first + _SLAB][:, places[here] - first]
    power /= layer.attrs["positions"]
    variance = power - means**2
    return np.sqrt(np.where(variance > CONSTANT * power, variance, 0))


def log_regularised(matrix, epsilon=REGULARISATION, rank=None):
    """Logarithm of a symmetric matrix without negative eigenvalues, regularised: log(A + ε tr(A)/N I).

    Parameters
    ----------
    matrix : array, float64, shape (N, N)
        Not zero.
    epsilon : float
    rank : int, optional
        What the rank is known not to exceed, where that is below N: a Cholesky factor with so many columns
        then takes the place of the matrix, in a fraction of the time.

    Returns
    -------
    array, shape (N, N)

    Notes
    -----
    With δ = ε tr(A)/N the logarithm is log δ I + log(I + A/δ). Of a factor A = L Lᵀ with r columns,
    log(I + A/δ) = L V diag(log(1 + λ/δ) / λ) Vᵀ Lᵀ, where λ and V are of the r x r matrix LᵀL.
    """
    from scipy.linalg import eigh  # the other representations do without, and without its import

    n = len(matrix)
    delta = epsilon * np.trace(matrix) / n
    if rank is None or 2 * rank > n:
        values, vectors = eigh(matrix, check_finite=False, driver="evd")
        half = vectors * np.sqrt(np.log1p(np.maximum(values, 0) / delta))
    else:
        factor = _cholesky(matrix)
        values, vectors = eigh(factor.T @ factor, check_finite=False, driver="evd")
        values = np.maximum(values, np.finfo(float).tiny)
        half = (factor @ vectors) * np.sqrt(np.log1p(values / delta) / values)
    found = half @ half.T
    found[np.diag_indices(n)] += np.log(delta)
    return found


def _cholesky(matrix):
    """Factor L (N, r) of a matrix of rank r, L Lᵀ = A up to the rounding of float32."""
    from scipy.linalg import lapack

    noise = len(matrix) * np.finfo(np.float32).eps * matrix.diagonal().max()
    factor, order, rank, _ = lapack.dpstrf(matrix, tol=noise, lower=1)
    found = np.empty((len(matrix), rank))
    found[order - 1] = np.tril(factor)[:, :rank]
    return found


def _inverse(values):
    """1 / values, and 0 for 0."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


def _of_pairs(layer, factor, left, right, scales=None, ones=None):
    """Packed rows factor G_ij s_i s_j - l_i r_j, with `ones` on the diagonal where they are given."""
    stored, channels = layer["gram"], left.shape[1]
    starts = diagonal(channels)
    lengths = np.arange(channels, 0, -1)

    def read(first, last):
        slab = stored[:, first:last]
        made = np.empty(slab.shape, np.float32)
        # Each channel's row of the triangle is a run of columns.
        for i in range(np.searchsorted(starts, first, "right") - 1, np.searchsorted(starts, last, "left")):
            low, high = max(starts[i], first), min(starts[i] + lengths[i], last)
            part = slice(low - first, high - first)
            others = slice(low - starts[i] + i, high - starts[i] + i)
            values = factor * slab[:, part].astype(np.float64)
            if scales is not None:
                values *= scales[:, i : i + 1] * scales[:, others]
            outer = left[:, i : i + 1] * right[:, others]
            outer *= SQRT2
            if low == starts[i]:
                outer[:, 0] /= SQRT2
            values -= outer
            if low == starts[i] and ones is not None:
                values[:, 0] = ones[:, i]
            made[:, part] = values
        return made

    return Rows((len(left), n_packed(channels)), read)
