"""P-values of a correlation by permutation: over all n! orders where that can be, else over a sample."""

import itertools
import math
from typing import NamedTuple

import numpy as np

#: All n! orders are counted up to this many points; 13! takes a second or two.
EXACT = 13

#: Orders within families are listed up to this many.
LISTED = 2_000_000

#: Two sums that differ by less are equal.
_TIE = 1e-9


class Permutation(NamedTuple):
    """A p-value by permutation.

    Attributes
    ----------
    p : float
        Share of the orders that give an abs(r) at least as large as the one found, which is counted too.
    error : float
        Standard error of p; 0 where all orders were counted.
    permutations : int
        How many orders: all of them, or those drawn.
    """

    p: float
    error: float
    permutations: int


def permutation_p(x, y, samples=100_000, seed=0):
    """Two-sided p of Pearson's r over all orders of the points; ranks give that of Spearman's rho.

    Parameters
    ----------
    x, y : array, shape (n,)
    samples, seed : int
        Orders that are drawn where n > `EXACT`.

    Returns
    -------
    Permutation
        NaN where a variable is constant or n < 3.

    Notes
    -----
    Not each of 12! = 479,001,600 sums is made. Which points meet the first half of x is one of C(n, n/2)
    choices; given that, a sum is one of (n/2)! from the first half plus one of (n/2)! from the second, and
    how many pairs pass the threshold is found by sorting.
    """
    a, b = _standardised(x), _standardised(y)
    if a is None or b is None:
        return Permutation(np.nan, np.nan, 0)
    if len(a) > EXACT:
        return _sampled(a, b, [np.arange(len(a))], samples, seed)
    threshold = abs(a @ b) - _TIE
    total = math.factorial(len(a))
    return Permutation(1.0 if threshold <= 0 else _hits(a, b, threshold) / total, 0.0, total)


def within_families_p(x, y, families, samples=100_000, seed=0):
    """Two-sided p of Pearson's r over the orders that move points within their families only.

    Networks of a family are no independent points. What differs between families is kept, so that only what
    holds inside of them can be found; families of one do not move.

    Parameters
    ----------
    x, y : array, shape (n,)
    families : sequence of str, length n
    samples, seed : int
        Orders that are drawn where there are more than `LISTED`.

    Returns
    -------
    Permutation
        Its smallest possible p is 1 / `permutations`.
    """
    a, b = _standardised(x), _standardised(y)
    if a is None or b is None:
        return Permutation(np.nan, np.nan, 0)
    groups = [np.flatnonzero(np.asarray(families) == name) for name in dict.fromkeys(families)]
    total = math.prod(math.factorial(len(group)) for group in groups)
    if total > LISTED:
        return _sampled(a, b, groups, samples, seed)
    sums = np.zeros(1)
    for group in groups:
        sums = (sums[:, None] + b[group][_orders(len(group))] @ a[group]).ravel()
    return Permutation(float((np.abs(sums) >= abs(a @ b) - _TIE).mean()), 0.0, total)


def _standardised(values):
    """Mean zero and norm one, so that products are correlations; None where that cannot be."""
    values = np.asarray(values, dtype=float)
    centred = values - values.mean() if len(values) else values
    norm = np.linalg.norm(centred)
    return None if len(values) < 3 or norm <= 1e-12 * max(1, np.abs(values).max()) else centred / norm


def _orders(n):
    return np.array(list(itertools.permutations(range(n))))


def _hits(a, b, threshold):
    """Orders of b whose product with a is at least the threshold, or at most its negative."""
    n = len(a)
    half = n // 2
    first, second = _orders(half), _orders(n - half)
    hits = 0
    for chosen in itertools.combinations(range(n), half):
        others = [i for i in range(n) if i not in chosen]
        low = b[list(chosen)][first] @ a[:half]
        high = np.sort(b[others][second] @ a[half:])
        hits += len(high) * len(low) - np.searchsorted(high, threshold - low, "left").sum()
        hits += np.searchsorted(high, -threshold - low, "right").sum()
    return int(hits)


def _sampled(a, b, groups, samples, seed):
    """Orders that are drawn at random, within groups; the one found counts as one of them."""
    generator, hits, done = np.random.default_rng(seed), 0, 0
    while done < samples:
        count = min(20_000, samples - done)
        shuffled = np.tile(b, (count, 1))
        for group in groups:
            shuffled[:, group] = generator.permuted(shuffled[:, group], axis=1)
        hits += int((np.abs(shuffled @ a) >= abs(a @ b) - _TIE).sum())
        done += count
    p = (1 + hits) / (1 + samples)
    return Permutation(p, math.sqrt(p * (1 - p) / samples), samples)
