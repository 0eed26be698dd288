"""How alike RDMs are: with each other, and with the classes."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from texalign.errors import InputError
from texalign.files import scratch as scratch_file
from texalign.geometry.condensed import condensed_length, condensed_rows

CORRELATIONS = ("spearman", "pearson")

#: Values of all RDMs that are multiplied at once.
PRODUCT_BLOCK = 2**25


def class_identity_rdm(classes):
    """RDM of the classes themselves, condensed: 0 within a class, 1 between classes; float32."""
    classes = np.asarray(classes)
    pairs = np.empty(condensed_length(len(classes)), np.float32)
    for i, part in condensed_rows(len(classes)):
        pairs[part] = classes[i] != classes[i + 1 :]
    return pairs


def second_order(rdms, m, length, correlation="spearman", scratch=None, threads=1):
    """Correlate RDMs with each other, over all pairs of textures.

    Parameters
    ----------
    rdms : iterable of array, shape (length,)
        m condensed RDMs, one after the other. As many as threads are in memory at a time.
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
