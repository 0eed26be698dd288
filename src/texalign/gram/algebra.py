"""Gram matrices of feature maps."""

import numpy as np
import torch

from texalign.gram.packing import SQRT2, diagonal, n_packed, pack


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


def channel_means(maps):
    """Means of the channels of feature maps over all positions.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W)

    Returns
    -------
    Tensor, shape (b, N), float32
    """
    return maps.float().mean((2, 3))


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
