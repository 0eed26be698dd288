"""Ward's tree in the memory of the distances themselves, for sets whose distances fill the memory.

SciPy copies the distances as 8-byte numbers; here they stay float32 and are overwritten by those of the
merged clusters. Arithmetic is in float64, so that each merge rounds once.

Source: Müllner (2011), Modern hierarchical, agglomerative clustering algorithms, arXiv:1109.2378, section
3.2, the algorithm of nearest-neighbour chains; Lance & Williams (1967) for Ward's update.
"""

import numpy as np
from numba import njit


def ward_in_place(euclidean):
    """Ward's tree of condensed distances, which are overwritten.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,), float32 or float64

    Returns
    -------
    array, shape (n-1, 4), float64
        SciPy's linkage matrix: the two nodes merged, the height, the size. The heights differ from SciPy's
        by the rounding of float32, and so may the order of merges whose heights are equal to that.
    """
    n = (1 + int(np.sqrt(1 + 8 * len(euclidean)))) // 2
    first, second, heights = _merges(euclidean, n)
    order = np.argsort(heights, kind="stable")
    return _labelled(first[order], second[order], heights[order], n)


@njit(cache=True, nogil=True)
def _place(i, j, n):
    """Condensed index of a pair."""
    if i > j:
        i, j = j, i
    return n * i - i * (i + 1) // 2 + j - i - 1


@njit(cache=True, nogil=True)
def _nearest(distances, sizes, n, x, limit, y):
    """Find the cluster nearest to x, and its distance: y at `limit` where none is nearer than that."""
    place = x - 1  # of the pair (0, x); one row further down it is n - 2 - row further on
    for i in range(x):
        if sizes[i] > 0 and distances[place] < limit:
            limit, y = distances[place], i
        place += n - 2 - i
    place = n * x - x * (x + 1) // 2
    for i in range(x + 1, n):
        if sizes[i] > 0 and distances[place] < limit:
            limit, y = distances[place], i
        place += 1
    return y, limit


@njit(cache=True, nogil=True)
def _merges(distances, n):
    """Pairs of clusters, each known by its last texture, with the height of their merge, in any order."""
    sizes, chain = np.ones(n, np.int64), np.empty(n, np.int64)
    first, second, heights = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    length = start = 0
    for merge in range(n - 1):
        if length == 0:
            while sizes[start] == 0:
                start += 1
            chain[0], length = start, 1
        while True:
            x = chain[length - 1]
            y, limit = -1, distances.dtype.type(np.inf)
            if length > 1:  # at equal distances back to where the chain comes from, or it would go round
                y = chain[length - 2]
                limit = distances[_place(x, y, n)]
            y, limit = _nearest(distances, sizes, n, x, limit, y)
            if length > 1 and y == chain[length - 2]:
                break
            chain[length] = y
            length += 1
        length -= 2
        if x > y:
            x, y = y, x
        nx, ny, height = sizes[x], sizes[y], np.float64(limit)
        first[merge], second[merge], heights[merge] = x, y, height
        sizes[x], sizes[y] = 0, nx + ny
        for i in range(n):
            size = sizes[i]
            if size == 0 or i == y:
                continue
            here = _place(i, y, n)
            a, b = np.float64(distances[_place(i, x, n)]), np.float64(distances[here])
            squared = ((nx + size) * a * a + (ny + size) * b * b - size * height * height) / (nx + ny + size)
            distances[here] = np.sqrt(max(squared, 0.0))
    return first, second, heights


@njit(cache=True, nogil=True)
def _labelled(first, second, heights, n):
    """Give the clusters of merges, which are in the order of their heights, SciPy's numbers."""
    tree, parents = np.empty((n - 1, 4)), np.arange(2 * n - 1)
    sizes = np.ones(2 * n - 1, np.int64)
    for merge in range(n - 1):
        roots = np.empty(2, np.int64)
        for side in range(2):
            node = first[merge] if side == 0 else second[merge]
            while parents[node] != node:
                parents[node] = parents[parents[node]]
                node = parents[node]
            roots[side] = node
        new = n + merge
        parents[roots[0]] = parents[roots[1]] = new
        sizes[new] = sizes[roots[0]] + sizes[roots[1]]
        tree[merge, 0], tree[merge, 1] = min(roots[0], roots[1]), max(roots[0], roots[1])
        tree[merge, 2], tree[merge, 3] = heights[merge], sizes[new]
    return tree
