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


def second_order(rdms, m, length, correlation="spearman", scratch=None, threads=1, controls=0, watch=None):
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
    controls : int, optional
        RDMs at the end that change no bit of what the others give.
    watch : callable, optional
        Called with each RDM as `standardized` gives it.

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
            if watch is not None:
                watch(values)
        products, own = np.zeros((m, m)), m - controls
        step = max(1, PRODUCT_BLOCK // own)
        for first in range(0, length, step):
            block = np.empty((m, min(step, length - first)), np.float32)
            for row in range(m):
                file.seek(4 * (row * length + first))
                block[row] = np.fromfile(file, np.float32, block.shape[1])
            products[:own, :own] += block[:own] @ block[:own].T
            if controls:
                products[own:] += block[own:] @ block.T
    products[:own, own:] = products[own:, :own].T
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


def gathered(values, n, ends=None):
    """Sum the squares of each texture's own sum over an RDM, which is what `chance_spread` needs of it.

    Parameters
    ----------
    values : array, shape (m,)
        As `standardized` gives them.
    n : int
        Textures.
    ends : (array of int, array of int), optional
        Textures of the m pairs, where these are not all.

    Returns
    -------
    float
        Over all pairs. Of chosen ones, what is expected of all from them.
    """
    if ends is None:
        sums = np.zeros(n)
        for i, part in condensed_rows(n):
            sums[i] += values[part].sum(dtype=np.float64)
            sums[i + 1 :] += values[part]
        return float(sums @ sums)
    share = len(values) / condensed_length(n)
    sums = sum(np.bincount(end, values, n) for end in ends)
    return float((sums @ sums - 2 * (1 - share)) / share)


def chance_spread(a, b, n):
    """Spread of the correlation of two RDMs over all orders of the textures of one of them; its mean is zero.

    Parameters
    ----------
    a, b : float
        What `gathered` gives for each.
    n : int
        Textures; NaN below four.

    Notes
    -----
    Exact (Mantel, 1967, in the form of Cliff and Ord, 1981), also for ranks.
    """
    if n < 4:
        return np.nan
    # Sums of both matrices are zero, their sums of squares one for each half.
    pairs, threes, fours = n * (n - 1), n * (n - 1) * (n - 2), n * (n - 1) * (n - 2) * (n - 3)
    squares = (
        4 * 4 / (2 * pairs) + (4 * a - 8) * (4 * b - 8) / (4 * threes) + (4 - 4 * a) * (4 - 4 * b) / fours
    )
    return float(np.sqrt(max(squares, 0)) / 2) if np.isfinite(squares) else np.nan
