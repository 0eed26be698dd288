"""How alike RDMs are: with each other, and with the classes."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from texalign.errors import InputError
from texalign.files import scratch as scratch_file
from texalign.geometry.condensed import condensed_length, condensed_rows, pairs_of

CORRELATIONS = ("spearman", "pearson")

#: Values of all RDMs that are multiplied at once.
PRODUCT_BLOCK = 2**25


def class_identity_rdm(classes, pairs=None):
    """RDM of the classes themselves, condensed: 0 within a class, 1 between classes; float32.

    Parameters
    ----------
    classes : array_like, shape (n,)
    pairs : array of int, shape (m,), optional
        Condensed indices of the pairs that are wanted, instead of all.
    """
    classes = np.asarray(classes)
    if pairs is not None:
        i, j = pairs_of(pairs, len(classes))
        return (classes[i] != classes[j]).astype(np.float32)
    values = np.empty(condensed_length(len(classes)), np.float32)
    for i, part in condensed_rows(len(classes)):
        values[part] = classes[i] != classes[i + 1 :]
    return values


def sample_pairs(length, most, seed=0):
    """Choose pairs of textures at random: one from each of `most` equal stretches of a condensed RDM.

    A correlation r of two RDMs over m chosen pairs differs from that over all pairs by about
    (1 - r²) / √m, its standard error: below 0.0003 for 20 million.

    Parameters
    ----------
    length : int
        Pairs that there are.
    most : int
        Pairs that are wanted at most.
    seed : int

    Returns
    -------
    array of int64, shape (most,), or None
        Condensed indices, ascending, none of them twice; None where all pairs are wanted.
    """
    if length <= most:
        return None
    edges = np.arange(most + 1) * length // most
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])


def values_at(rdm, pairs=None, block=2**24):
    """Read the values of chosen pairs, or of all, from an array or an `h5py.Dataset` that need not fit."""
    if pairs is None:
        return rdm[:]
    values = np.empty(len(pairs), rdm.dtype)
    for first in range(0, len(rdm), block):
        here = slice(*np.searchsorted(pairs, [first, first + block]))
        if here.start < here.stop:
            values[here] = rdm[first : first + block][pairs[here] - first]
    return values


def second_order(rdms, m, length, correlation="spearman", scratch=None, threads=1):
    """Correlate RDMs with each other, over all pairs of textures.

    Parameters
    ----------
    rdms : iterable of array, shape (length,)
        m condensed RDMs, or the same pairs of each, one after the other. As many as threads are in memory
        at a time.
    m, length : int
    correlation : {'spearman', 'pearson'}
        `spearman` takes average ranks where distances tie.
    scratch : str or Path, optional
        Folder for m x length float32 values while this runs.
    threads : int, optional
        RDMs that are ranked side by side.

    Returns
    -------
    array, shape (m, m)
        NaN for an RDM whose distances are all the same.
    """
    if correlation not in CORRELATIONS:
        raise InputError(f"correlation: {correlation!r} is not allowed; use one of {', '.join(CORRELATIONS)}")
    with scratch_file(scratch, 4 * m * length) as file:
        # Plain reads and writes: the pages of a memory map would count as this job's memory.
        for values in _side_by_side(partial(standardized, correlation=correlation), rdms, threads):
            file.write(values)
        products = np.zeros((m, m))
        step = max(1, PRODUCT_BLOCK // m)
        for first in range(0, length, step):
            block = np.empty((m, min(step, length - first)), np.float32)
            for row in range(m):
                file.seek(4 * (row * length + first))
                block[row] = np.fromfile(file, np.float32, block.shape[1])
            products += block @ block.T
    return np.clip(products, -1, 1)


def _side_by_side(function, items, threads):
    """``map(function, items)`` by threads, with as many items as threads in memory."""
    with ThreadPoolExecutor(threads) as pool:
        running = deque()
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) == threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def standardized(values, correlation):
    """Give values, or their average ranks, mean zero and norm one.

    Parameters
    ----------
    values : array, shape (m,)
    correlation : {'spearman', 'pearson'}

    Returns
    -------
    array, float32, shape (m,)
        NaN where all are the same.
    """
    values = _ranks(values) if correlation == "spearman" else np.asarray(values, np.float64)
    # The mean of equal values may differ from them in the last digit.
    constant = values.min() == values.max()
    values = np.full_like(values, np.nan) if constant else values - values.mean()
    return (values / np.linalg.norm(values)).astype(np.float32)


def _ranks(values):
    """Average ranks, from 0, as float64."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(values)]])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((starts[:-1] + starts[1:] - 1) / 2, np.diff(starts))
    return ranks
