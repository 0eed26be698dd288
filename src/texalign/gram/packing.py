"""How symmetric matrices are packed into rows. It needs no torch, which takes seconds to load."""

import math
import sys

import numpy as np

from texalign.errors import InputError

SQRT2 = math.sqrt(2)


def n_packed(channels):
    """Length of a packed Gram matrix of N channels, N(N+1)/2."""
    return channels * (channels + 1) // 2


def diagonal(channels):
    """Positions of the diagonal's entries, the channels' squared norms, in a packed Gram matrix."""
    return np.cumsum([0, *range(channels, 1, -1)])


def pack(gram):
    """Pack symmetric matrices: row-major upper triangle, off-diagonal entries times √2.

    The Euclidean distance of two packed rows is the Frobenius distance of the two matrices.

    Parameters
    ----------
    gram : Tensor or array, shape (..., N, N)

    Returns
    -------
    same type, shape (..., N(N+1)/2)
    """
    n = gram.shape[-1]
    if gram.shape[-2] != n:
        raise InputError(f"gram: matrices must be square, got shape {tuple(gram.shape)}")
    rows, columns = np.triu_indices(n)
    scale = np.where(rows == columns, 1.0, SQRT2)
    return _scaled(gram[..., rows, columns], scale)


def unpack(packed):
    """Inverse of `pack`: shape (..., N(N+1)/2) → symmetric (..., N, N)."""
    length = packed.shape[-1]
    n = (math.isqrt(8 * length + 1) - 1) // 2
    if n_packed(n) != length:
        raise InputError(f"gram: a packed row has N(N+1)/2 values; {length} is not of this form")
    rows, columns = np.triu_indices(n)
    scale = np.where(rows == columns, 1.0, 1 / SQRT2)
    values = _scaled(packed, scale)
    shape = (*packed.shape[:-1], n, n)
    gram = values.new_empty(shape) if _is_tensor(values) else np.empty(shape, values.dtype)
    gram[..., rows, columns] = values
    gram[..., columns, rows] = values
    return gram


def _is_tensor(values):
    """Tell without loading torch: who has a tensor has loaded it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def _scaled(values, scale):
    """Values times constants, in their own type; whole numbers become floats."""
    if _is_tensor(values):
        torch = sys.modules["torch"]
        dtype = values.dtype if values.is_floating_point() else torch.get_default_dtype()
        return values * torch.as_tensor(scale, dtype=dtype, device=values.device)
    return values * (scale.astype(values.dtype) if np.issubdtype(values.dtype, np.floating) else scale)
