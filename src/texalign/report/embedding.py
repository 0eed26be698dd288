"""Textures in two dimensions, near where they are near by a layer's distances."""

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from texalign.geometry import condensed as triangle


def embed(condensed, seed=0):
    """Place textures in a plane by t-SNE of their distances.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
    seed : int

    Returns
    -------
    array of uint16, shape (n, 2)
        The larger extent spans 0 to 65535, the smaller is in the middle. The same seed gives the same
        places.

    References
    ----------
    L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", JMLR 9 (2008) 2579.
    """
    square = triangle.square(np.asarray(condensed, np.float32))
    unknown = np.isnan(square)  # put as far as the farthest
    square[unknown] = square[~unknown].max()
    n = len(square)
    if n < 4:
        places = np.stack([np.arange(n), np.zeros(n)], axis=1)
    else:
        # Scaled, as the distances of some layers are beyond what a square in float32 holds.
        square /= max(float(square.max()), np.finfo(np.float32).tiny)
        tsne = TSNE(
            metric="precomputed",
            init="random",
            perplexity=min(30.0, (n - 1) / 3),
            random_state=seed,
            n_jobs=1,
        )
        with threadpool_limits(1):
            places = tsne.fit_transform(square)
    places = places - (places.min(0) + places.max(0)) / 2
    extent = max(float(np.abs(places).max()), 1e-12)
    return np.rint(65535 * (0.5 + places / (2 * extent))).astype(np.uint16)
