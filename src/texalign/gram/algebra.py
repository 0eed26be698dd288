"""Gram matrices of feature maps, and how they are packed into rows."""

import math

import numpy as np
import torch

from texalign.errors import InputError

SQRT2 = math.sqrt(2)


def gram_matrices(maps):
    """Gram matrices of feature maps, G = F Fᵀ (misalignment paper, Eq. 1; no division by M).

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W) or (b, N, M)
        Feature maps of N channels.

    Returns
    -------
    Tensor, shape (b, N, N)
        Differentiable, in the dtype of `maps`.
    """
    features = maps.flatten(2)
    return features @ features.transpose(1, 2)


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
    gram = values.new_empty(shape) if isinstance(values, torch.Tensor) else np.empty(shape, values.dtype)
    gram[..., rows, columns] = values
    gram[..., columns, rows] = values
    return gram


def packed_gram_matrices(maps):
    """``pack(gram_matrices(maps))`` in float32, faster: only the triangle is computed, no index is gathered.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W)
        Best in channels-last layout, in which the (M, N) matrix of an image lies contiguous. On a
        CPU, without a gradient.

    Returns
    -------
    Tensor, shape (b, N(N+1)/2), float32
    """
    n = maps.shape[1]
    features = maps.permute(0, 2, 3, 1).flatten(1, 2).float()
    if maps.device.type != "cpu":  # one gather is cheaper there than N small copies
        return pack(features.transpose(1, 2) @ features)
    features = features.numpy()
    # NumPy sees that one matrix is the other's transpose, and takes half of the product (BLAS syrk).
    products = np.matmul(features.transpose(0, 2, 1), features)
    packed = np.empty((len(maps), n_packed(n)), np.float32)
    starts = diagonal(n)
    for row, start in enumerate(starts):
        np.multiply(products[:, row, row:], np.float32(SQRT2), out=packed[:, start : start + n - row])
    packed[:, starts] = products.diagonal(axis1=1, axis2=2)
    return torch.from_numpy(packed)


def _scaled(values, scale):
    """Values times constants, in their own type; whole numbers become floats."""
    if isinstance(values, torch.Tensor):
        dtype = values.dtype if values.is_floating_point() else torch.get_default_dtype()
        return values * torch.as_tensor(scale, dtype=dtype, device=values.device)
    return values * (scale.astype(values.dtype) if np.issubdtype(values.dtype, np.floating) else scale)
