"""Tables of counts, and the NSB entropy by a plain sum."""

import numpy as np
from scipy.special import digamma, logsumexp, polygamma

LOG2 = np.log(2)

DOC_COUNTS = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2]


def labels(agreement, seed, n=5640, k=47):
    """Classes, and clusters that equal them in a share of the textures and are random elsewhere."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % k
    return classes, np.where(rng.random(n) < agreement, classes, rng.integers(0, k, n))


def brute_force(counts, k, nodes=20_001):
    """Second implementation: a plain sum over log alpha, likelihood as a product, raw second moment."""
    counts = np.asarray(counts)[np.asarray(counts) > 0]
    n = counts.sum()
    u = np.linspace(-45 - np.log(k), 45 + 2 * np.log(n), nodes)
    alpha = np.exp(u)
    log_weight = u + np.log(np.maximum(k * polygamma(1, k * alpha + 1) - polygamma(1, alpha + 1), 1e-300))
    # The likelihood is a product of (alpha + j) over one of (k alpha + j); alpha^n / (k alpha)^n is constant.
    for j in range(1, n):
        log_weight += (counts > j).sum() * np.log1p(j / alpha) - np.log1p(j / (k * alpha))
    weights = np.exp(log_weight - logsumexp(log_weight))

    values, times = np.unique(counts, return_counts=True)
    mean, square = np.empty(nodes), np.empty(nodes)
    for i in range(0, nodes, 2000):
        part = slice(i, i + 2000)
        a = alpha[part, None] + np.append(values, 0)
        z = np.append(times, k - len(counts))
        nu = n + k * alpha[part]
        mean[part] = digamma(nu + 1) - (z * a * digamma(a + 1)).sum(1) / nu
        c = polygamma(1, nu + 2)
        phi = digamma(a + 1) - digamma(nu + 2)[:, None]
        twice = digamma(a + 2) - digamma(nu + 2)[:, None]
        pairs = (
            (z * a * phi).sum(1) ** 2 - (z * a).sum(1) ** 2 * c - (z * a**2 * (phi**2 - c[:, None])).sum(1)
        )
        same = (z * a * (a + 1) * (twice**2 + polygamma(1, a + 2) - c[:, None])).sum(1)
        square[part] = (pairs + same) / (nu * (nu + 1))
    average = weights @ mean
    return average, np.sqrt(max(weights @ square - average**2, 0.0)), alpha, weights
