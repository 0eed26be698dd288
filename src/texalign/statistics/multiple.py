"""Many tests at once."""

import numpy as np
from scipy import stats


def holm(p):
    """Adjust p-values by Holm's step-down procedure: no false positive among all tests, but for alpha.

    Parameters
    ----------
    p : array, shape (tests,)

    Returns
    -------
    array
        NaN stays NaN, and does not count as a test.
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    stepped = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepped))
    return adjusted


def benjamini_hochberg(p):
    """Adjust p-values so that the share of false positives among those found is held below alpha.

    Parameters and what is returned are those of `holm`.
    """
    p = np.asarray(p, dtype=float)
    adjusted, tests = np.full(len(p), np.nan), np.isfinite(p)
    if tests.any():
        adjusted[tests] = stats.false_discovery_control(p[tests])
    return adjusted
