"""Multidimensional scaling: points in a plane whose distances are near to given ones."""

import numpy as np


def classical(distances, dimensions=2):
    """Classical scaling (Torgerson): exact where the distances are those of points in so few dimensions.

    Parameters
    ----------
    distances : array, shape (m, m)
    dimensions : int

    Returns
    -------
    array, shape (m, dimensions)
        About their mean; the largest coordinate of each dimension is positive.
    """
    squared = np.asarray(distances, float) ** 2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    order = np.argsort(values)[::-1][:dimensions]
    points = vectors[:, order] * np.sqrt(np.maximum(values[order], 0))
    points = np.pad(points, ((0, 0), (0, dimensions - points.shape[1])))
    largest = points[np.abs(points).argmax(axis=0), np.arange(dimensions)]
    return points * np.where(largest < 0, -1, 1)


def plane(distances):
    """Metric scaling into a plane: from `classical` on, SMACOF lowers the stress as far as it goes.

    Parameters
    ----------
    distances : array, shape (m, m)

    Returns
    -------
    points : array, shape (m, 2)
    stress : float
        Kruskal's stress-1: root of the squared errors of distances, as a share of the map's squared ones.
        Above 0.2 a map is poor.
    """
    from sklearn.manifold import smacof

    distances = np.asarray(distances, float)
    points = classical(distances)
    if len(points) > 3:
        points, _ = smacof(
            distances, init=points, n_init=1, max_iter=1000, eps=1e-9, normalized_stress=False, n_components=2
        )
        points = points - points.mean(axis=0)
    found = np.linalg.norm(points[:, None] - points, axis=-1)
    return points, float(np.sqrt(((found - distances) ** 2).sum() / ((found**2).sum() or 1)))


def between_correlations(matrix):
    """Distances of things that correlate, √(2 (1 - r)): those of their standardized values, of norm one.

    Parameters
    ----------
    matrix : array, shape (m, m)
        Correlations.

    Returns
    -------
    array, shape (m, m)
        0 on the diagonal.
    """
    distances = np.sqrt(np.maximum(2 * (1 - np.asarray(matrix, float)), 0))
    np.fill_diagonal(distances, 0)
    return distances
