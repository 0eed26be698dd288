"""Tables and arrays → what is shown of them, without a plotting library: for figures and the report."""

import unicodedata
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment


def reduce_rdm(condensed, n, pixels=900):
    """Shrink an RDM by block means, for drawing.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
        The upper triangle, row by row, as SciPy's `pdist` returns it.
    n : int
        Number of textures.
    pixels : int
        Largest side of the result.

    Returns
    -------
    array, shape (m, m)
        With m = min(n, pixels): the means over m × m nearly equal blocks of the square matrix, whose
        diagonal is zero. The square itself is never made: one row at a time is.
    """
    if len(condensed) != n * (n - 1) // 2:
        raise ValueError(f"condensed has {len(condensed)} entries; {n} textures need {n * (n - 1) // 2}")
    side = min(n, pixels)
    edges = np.linspace(0, n, side + 1).round().astype(int)
    sizes = np.diff(edges)
    sums = np.zeros((side, side))
    start = 0
    for block, (first, last) in enumerate(pairwise(edges)):
        rows = np.zeros(n)
        for i in range(first, last):
            stop = start + n - 1 - i
            rows[i + 1 :] += condensed[start:stop]
            start = stop
        sums[block] = np.add.reduceat(rows, edges[:-1])
    return (sums + sums.T) / np.outer(sizes, sizes)


def runs(labels):
    """Names and edges of the runs of equal labels; each label must make up one run."""
    labels = np.asarray(labels, dtype=object)
    edges = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1], True])
    names = list(labels[edges[:-1]])
    if len(set(names)) < len(names):
        raise ValueError("labels must be grouped: rows of one class or network stand together")
    return names, edges


def matched_order(table):
    """Order classes and clusters so that the diagonal is strong.

    Each class is matched with one cluster so that together they share as many textures as can be
    (linear assignment); best recovered classes come first, the unmatched ones last.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.

    Returns
    -------
    rows, columns : arrays of int
    """
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    order = np.argsort(-share[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    spare = np.setdiff1d(np.arange(table.shape[1]), columns)
    rows = np.r_[rows, np.setdiff1d(np.arange(len(table)), rows)]
    return rows, np.r_[columns, spare[np.argsort(np.argmax(table[rows][:, spare], axis=0), kind="stable")]]


def untrained(weights):
    """Tell of each network whether its weights say that it is untrained.

    Parameters
    ----------
    weights : sequence of str

    Returns
    -------
    list of bool
    """
    return [source.startswith("untrained") for source in weights]


def shorten(names, width=32):
    """Cut long names in their middle, so that different ones stay different.

    Parameters
    ----------
    names : iterable
    width : int
        Letters that are kept; a Chinese one counts as two.

    Returns
    -------
    list of str

    Examples
    --------
    >>> shorten(["a texture that is banded", "a texture that is blotchy", "dotted"], 12)
    ['a textu…nded', 'a textu…tchy', 'dotted']
    """
    names = list(map(str, names))
    short, taken = {}, set(names)
    for name in dict.fromkeys(names):
        cut = _cut(name, width)
        # Where the ends are alike too, a number tells them apart.
        number = 2
        while cut != name and cut in taken:
            cut, number = f"{_cut(name, width - 4)} #{number}", number + 1
        short[name] = cut
        taken.add(cut)
    return [short[name] for name in names]


def _cut(name, width):
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in name)
    if len(name) + wide <= width:
        return name
    kept = max(3, width * len(name) // (len(name) + wide) - 1)
    end = max(1, 3 * kept // 8)
    return f"{name[: kept - end]}…{name[-end:]}"
