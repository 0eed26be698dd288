"""How many textures of each class are in each cluster."""

import numpy as np

from texalign.errors import InputError


def contingency(classes, clusters):
    """Count the textures of each class in each cluster.

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture, of any type that sorts.

    Returns
    -------
    array of int, shape (n_classes, n_clusters)
        Rows and columns in the sorted order of the labels that occur.

    Raises
    ------
    InputError
        No labels, or unequal numbers of them.
    """
    return table_of(*coded(classes, clusters))


def coded(classes, clusters):
    """Turn the labels into integers 0, 1, ... in their sorted order."""
    classes, clusters = np.asarray(classes).ravel(), np.asarray(clusters).ravel()
    if len(classes) != len(clusters):
        raise InputError(
            f"{len(classes)} class labels for {len(clusters)} cluster labels; give one each per texture"
        )
    if not len(classes):
        raise InputError("no labels; give at least one texture")
    try:
        return np.unique(classes, return_inverse=True)[1], np.unique(clusters, return_inverse=True)[1]
    except TypeError as error:
        raise InputError(f"labels that cannot be sorted ({error}); give all strings or all numbers") from None


def table_of(rows, columns):
    """Count pairs of integers, both from 0 on; shape (largest row + 1, largest column + 1)."""
    shape = rows.max() + 1, columns.max() + 1
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def adjusted_rand(table):
    """Compute the adjusted Rand index (Hubert and Arabie, 1985): 1 for the same partition, 0 by chance.

    Parameters
    ----------
    table : array of int, shape (n_classes, n_clusters)
        From `contingency`.

    Returns
    -------
    float
    """
    table = np.asarray(table, dtype=np.int64)
    n = int(table.sum())
    together = int((table**2).sum())
    rows, columns = int((table.sum(1) ** 2).sum()), int((table.sum(0) ** 2).sum())
    # Ordered pairs: together in both, in the columns alone, in the rows alone, in neither.
    both, only_columns, only_rows = together - n, columns - together, rows - together
    neither = n**2 - both - only_columns - only_rows - n
    if not (only_columns or only_rows):
        return 1.0
    expected = (both + only_rows) * (only_rows + neither) + (both + only_columns) * (only_columns + neither)
    return 2.0 * (both * neither - only_rows * only_columns) / expected
