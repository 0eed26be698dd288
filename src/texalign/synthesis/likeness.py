"""What losses do not tell of a method's samples: how they differ, and whether they copy the exemplar."""

import itertools
import math

import numpy as np
from scipy.spatial import cKDTree

#: Sides of the patches that are looked up in the exemplar, as shares of its smaller side.
SHARES = (1 / 16, 1 / 8, 1 / 4)
#: Patches a sample.
PATCHES = 256
#: Distance below which a patch counts as copied, in units of that between patches of the exemplar.
COPIED = 0.25


def diversity(images):
    """Mean distance between pairs of images: root mean square over pixels and colours, in their units.

    Parameters
    ----------
    images : sequence of array, shape (H, W, 3)
        All of one size.

    Returns
    -------
    float
        NaN for fewer than two.
    """
    rows = [np.asarray(image, np.float64) for image in images]
    pairs = [np.sqrt(np.mean((a - b) ** 2)) for a, b in itertools.combinations(rows, 2)]
    return float(np.mean(pairs)) if pairs else math.nan


def memory(exemplar, image, seed=0):
    """Look up patches of an image in its exemplar: how near is the nearest, and how large are the copied.

    Patches of several sizes at random places are compared with the exemplar's at every eighth of their
    side, by the mean colours of 4 x 4 cells. The unit is
    the median distance between patches of the exemplar that do not overlap: 1 is as far as any other
    place of the texture, 0 a copy.

    Parameters
    ----------
    exemplar, image : array, uint8, shape (H, W, 3)
    seed : int
        Of the places.

    Returns
    -------
    dict
        ``nearest_patch``: the median over patches of the largest size of the distance to the nearest.
        ``copied_patch``: side in pixels of the largest size at which a tenth of the patches is nearer than
        `COPIED`; 0 where none is.
    """
    side = min(exemplar.shape[:2])
    copied, nearest = 0, math.nan
    for share in SHARES:
        width = max(4, round(side * share))
        if width > min(image.shape[:2]) or width > side // 2:
            continue
        theirs, places = _patches(exemplar, width, step=max(1, width // 8))
        ours = _drawn(image, width, seed)
        unit = _typical(theirs, places, width, seed)
        if unit == 0:
            continue
        distance = cKDTree(theirs).query(ours)[0] / unit
        nearest = float(np.median(distance))
        if np.mean(distance < COPIED) >= 0.1:
            copied = width
    return {"nearest_patch": nearest, "copied_patch": copied}


def _cells(image, rows, columns, width):
    """Means of a patch's cells at each place, shape (n, 4 * 4 * 3)."""
    sums = np.zeros((image.shape[0] + 1, image.shape[1] + 1, 3))
    sums[1:, 1:] = np.asarray(image, np.float64).cumsum(0).cumsum(1)
    edges = np.linspace(0, width, 5).astype(int)
    corners = sums[(rows[:, None] + edges)[:, :, None], (columns[:, None] + edges)[:, None, :]]
    cells = np.diff(np.diff(corners, axis=1), axis=2)
    sides = np.diff(edges)
    return (cells / (sides[:, None] * sides)[None, :, :, None]).reshape(len(rows), -1)


def _patches(image, width, step):
    """Cells of all patches on a grid of places, and the places."""
    grid = np.mgrid[0 : image.shape[0] - width + 1 : step, 0 : image.shape[1] - width + 1 : step]
    rows, columns = grid.reshape(2, -1)
    return _cells(image, rows, columns, width), np.stack([rows, columns], axis=1)


def _drawn(image, width, seed):
    """Cells of patches at random places."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.integers(0, side - width + 1, PATCHES) for side in image.shape[:2])
    return _cells(image, rows, columns, width)


def _typical(rows, places, width, seed):
    """Median distance between patches of the exemplar that do not overlap."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(rows), (2, 4 * PATCHES))
    apart = (np.abs(places[one] - places[other]) >= width).any(axis=1)
    distances = np.sqrt(((rows[one] - rows[other]) ** 2).sum(axis=1))[apart]
    return float(np.median(distances)) if len(distances) else 0.0
