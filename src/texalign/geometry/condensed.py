"""Dissimilarity matrices without their mirror image: the upper triangle, row by row."""

import math

import numpy as np


def condensed_length(n):
    """Count the pairs of n textures, n(n-1)/2."""
    return n * (n - 1) // 2


def condensed_count(length):
    """Count the textures of so many pairs: inverse of `condensed_length`."""
    return (1 + math.isqrt(1 + 8 * length)) // 2


def condensed_rows(n):
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


def pairs_with(row, n):
    """Condensed indices of all pairs that a row is in, shape (n-1,)."""
    before = np.arange(row)
    start = row * n - row * (row + 1) // 2
    return np.concatenate(
        [before * n - before * (before + 1) // 2 + row - before - 1, np.arange(start, start + n - 1 - row)]
    )


def square(condensed):
    """Condensed → square (n, n), symmetric with zeros on the diagonal, in the same dtype."""
    n = condensed_count(len(condensed))
    full = np.zeros((n, n), condensed.dtype)
    for i, part in condensed_rows(n):
        full[i, i + 1 :] = full[i + 1 :, i] = condensed[part]
    return full


def subset(condensed, n, kept):
    """Pairs of some of n textures, condensed.

    Parameters
    ----------
    condensed : array, shape (n(n-1)/2,)
    n : int
    kept : sequence of int
        Positions of the textures, in any order, which the result has.

    Returns
    -------
    array, shape (m(m-1)/2,) for m textures
    """
    kept = np.asarray(kept)
    found = np.empty(condensed_length(len(kept)), condensed.dtype)
    starts = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])
    for i, part in condensed_rows(len(kept)):
        low, high = np.minimum(kept[i], kept[i + 1 :]), np.maximum(kept[i], kept[i + 1 :])
        found[part] = condensed[starts[low] + high - low - 1]
    return found
