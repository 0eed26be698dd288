"""Intervals, power and evidence of Pearson's r.

References
----------
.. [1] H. Hotelling, "New light on the correlation coefficient and its transforms", J. R. Stat. Soc. B 15
   (1953) 193: the distribution of r.
.. [2] A. Ly, J. Verhagen, E.-J. Wagenmakers, "Harold Jeffreys's default Bayes factor hypothesis tests",
   J. Math. Psychol. 72 (2016) 19.
"""

import functools

import numpy as np
from scipy import integrate, optimize, special, stats


def bootstrap_interval(x, y, repeats=10_000, seed=0, level=0.95):
    """Percentile interval of r over points drawn anew with replacement.

    Parameters
    ----------
    x, y : array, shape (n,)
    repeats, seed : int
    level : float

    Returns
    -------
    low, high : float
        NaN for n < 5. Draws in which a variable is constant do not count.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = len(x)
    if n < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan, np.nan
    drawn = np.random.default_rng(seed).integers(0, n, (repeats, n))
    a, b = x[drawn] - x[drawn].mean(1, keepdims=True), y[drawn] - y[drawn].mean(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return tuple(map(float, np.nanquantile(r, [(1 - level) / 2, (1 + level) / 2])))


def leave_out(x, y, groups):
    """Compute r without each group of points.

    Parameters
    ----------
    x, y : array, shape (n,)
    groups : sequence of str, length n
        What is left out together: a network's own name, or its family.

    Returns
    -------
    dict of str to float
        Group to r of the others; NaN where fewer than 3 are left, or a variable is constant.
    """
    x, y, groups = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(groups)
    return {str(name): pearson(x[groups != name], y[groups != name]) for name in dict.fromkeys(groups)}


def pearson(x, y):
    """Pearson's r; NaN for fewer than 3 points or a constant variable."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


def density(r, rho, n):
    """Density of r of n points of two normal variables whose correlation is rho ([1]_)."""
    logs = (
        np.log(n - 2)
        + special.gammaln(n - 1)
        - special.gammaln(n - 0.5)
        - np.log(2 * np.pi) / 2
        + (n - 1) / 2 * np.log1p(-(rho**2))
        + (n - 4) / 2 * np.log1p(-(r**2))
        - (n - 1.5) * np.log1p(-rho * r)
    )
    return np.exp(logs) * special.hyp2f1(0.5, 0.5, n - 0.5, (1 + rho * r) / 2)


def critical_r(n, alpha=0.05):
    """Find the smallest abs(r) that a two-sided t-test at alpha calls a correlation."""
    t = stats.t.ppf(1 - alpha / 2, n - 2)
    return float(t / np.sqrt(n - 2 + t**2))


@functools.cache
def power(rho, n, alpha=0.05):
    """How often a true correlation is found: probability that the two-sided test rejects, exactly.

    Parameters
    ----------
    rho : float
        Of the two normal variables.
    n : int
        Points, at least 4.
    alpha : float
    """
    edge = critical_r(n, alpha)
    parts = [integrate.quad(density, *ends, args=(rho, n))[0] for ends in ((-1, -edge), (edge, 1))]
    return float(sum(parts))


@functools.cache
def detectable_r(n, chance=0.8, alpha=0.05):
    """Find the smallest true abs(r) that is found with a chance of 80 % at n points; NaN for n < 4."""
    if n < 4:
        return np.nan
    above = next(rho for rho in np.linspace(0.05, 0.9995, 39) if power(float(rho), n, alpha) > chance)
    return float(optimize.brentq(lambda rho: power(rho, n, alpha) - chance, 0, float(above)))


def bayes_factor(r, n):
    """Evidence for a correlation against none, BF10, under a uniform prior of rho from -1 to 1 ([2]_).

    Above 1 the data speak for a correlation, below 1 for none; 1/3 to 3 is said to be not worth more than a
    bare mention. JASP's default, and `pingouin.bayesfactor_pearson`.

    Parameters
    ----------
    r : float
    n : int

    Returns
    -------
    float
        NaN for n < 3; infinite for abs(r) = 1.
    """
    if n < 3 or not np.isfinite(r):
        return np.nan
    if abs(r) >= 1:
        return np.inf
    alternatives = integrate.quad(lambda rho: density(r, rho, n) / 2, -1, 1)[0]
    return float(alternatives / density(r, 0, n))
