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


def start_of(row, n):
    """Condensed index of the first pair (row, row + 1)."""
    return row * n - row * (row + 1) // 2


def part_of(condensed, chosen, n):
    """Distances of chosen textures alone, condensed.

    Parameters
    ----------
    condensed : array, shape (n(n-1)/2,)
    chosen : array of int, ascending
    n : int
    """
    parts = [condensed[start_of(i, n) - i - 1 + chosen[k + 1 :]] for k, i in enumerate(chosen[:-1])]
    return np.concatenate(parts) if parts else condensed[:0]


def square_rows(condensed, first, last, n):
    """Rows `first` to `last` of the square matrix, shape (last - first, n), zeros on its diagonal."""
    block = np.zeros((last - first, n), condensed.dtype)
    for i in range(last):  # what stands left of the diagonal stands in the rows above
        start = start_of(i, n) - i - 1
        below = max(first, i + 1)
        block[below - first :, i] = condensed[start + below : start + last]
        if i >= first:
            block[i - first, i + 1 :] = condensed[start + i + 1 : start + n]
    return block


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
