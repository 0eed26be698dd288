"""Sliced Wasserstein distances of feature maps: quantiles along random directions, which no Gram matrix has.

The maps of a texture are M points in N dimensions. Along one direction two such clouds are compared by their
sorted coordinates, and the mean over directions is the sliced Wasserstein distance [1]_. Quantiles of each
direction, scaled, make a row a texture whose Euclidean distances are these distances.

References
----------
.. [1] Heitz et al. (2021), "A sliced Wasserstein loss for neural texture synthesis", CVPR.
"""

import numpy as np
import torch

from texalign.readout import read


def directions(channels, count, seed):
    """Random unit vectors of a layer.

    Parameters
    ----------
    channels : int
    count : int
    seed : int or sequence of int

    Returns
    -------
    Tensor, shape (N, count), float32
    """
    drawn = np.random.default_rng(seed).normal(size=(count, channels))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return torch.from_numpy(np.ascontiguousarray(drawn.T, np.float32))


def quantiles(maps, along, count):
    """Quantiles of feature maps along directions, scaled so that distances of rows are those of the maps.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W)
    along : Tensor, shape (N, P)
        See `directions`.
    count : int
        Q, quantiles of a direction, in the middle of Q equal shares. Where there are no more than Q
        positions, all of them are taken, and the distance is exact for these directions.

    Returns
    -------
    Tensor, shape (b, P min(Q, M)), float32
    """
    points = maps.float().flatten(2)  # (b, N, M)
    ordered = (along.T.to(points) @ points).sort(dim=2).values
    m = ordered.shape[2]
    if m > count:
        places = (torch.arange(count, dtype=torch.float64) + 0.5) / count * m - 0.5
        low = places.floor().long().clamp(0, m - 1)
        share = (places - low).to(ordered)
        ordered = ordered[:, :, low] * (1 - share) + ordered[:, :, (low + 1).clamp(max=m - 1)] * share
    return ordered.flatten(1) / np.sqrt(ordered.shape[1] * ordered.shape[2])


def of_batch(network, images, readout, along, count):
    """`quantiles` of one batch of uint8 images, as a dict of float32 arrays.

    Parameters
    ----------
    network : networks.Network
    images : array, uint8, shape (b, H, W, 3)
    readout : {'linear', 'relu'}
    along : dict of str to Tensor
        Directions of each layer.
    count : int
    """
    found = {}
    with torch.inference_mode():
        read(
            network,
            network.preprocess(images),
            lambda layer, maps: found.update({layer: quantiles(maps, along[layer], count)}),
            readout,
        )
    return {layer: values.cpu().numpy() for layer, values in found.items()}
