"""How alike two partitions are, by other measures than bits: scores between 0 and 1.

References
----------
.. [1] N. X. Vinh, J. Epps, J. Bailey, "Information theoretic measures for clusterings comparison", JMLR 11
   (2010) 2837.
.. [2] A. Rosenberg, J. Hirschberg, "V-measure", EMNLP-CoNLL (2007) 410.
"""

import numpy as np
from scipy.special import gammaln, xlogy


def v_measure(table):
    """Harmonic mean of homogeneity and completeness ([2]_): 2 I / (H(class) + H(cluster)), not corrected.

    Parameters
    ----------
    table : array of int, shape (n_classes, n_clusters)
        From `texalign.information.contingency.contingency`.
    """
    bits, h_class, h_cluster = _plugin(table)
    return float(2 * bits / (h_class + h_cluster)) if h_class + h_cluster else 1.0


def purity(table):
    """Share of textures that are of their cluster's commonest class; more clusters make it larger."""
    return float(table.max(0).sum() / table.sum())


def adjusted_mutual_information(table):
    """Plug-in information less what chance gives, as a share of the most there could be ([1]_).

    1 for the same partition, 0 by chance. The expectation is exact, over all tables with these sums of rows
    and columns; the most is the mean of both entropies.
    """
    bits, h_class, h_cluster = _plugin(table)
    chance = expected_information(table)
    most = (h_class + h_cluster) / 2 - chance
    return float((bits - chance) / most) if most > 1e-12 else 1.0


def expected_information(table):
    """Plug-in information, in nats, expected by chance for the sums of rows and columns of a table ([1]_)."""
    n = int(table.sum())
    total = 0.0
    for a, times_a in zip(*np.unique(table.sum(1), return_counts=True), strict=True):
        for b, times_b in zip(*np.unique(table.sum(0), return_counts=True), strict=True):
            k = np.arange(max(1, a + b - n), min(a, b) + 1)
            # Hypergeometric: k of the a textures of a class in a cluster of b.
            logs = _log_choose(b, k) + _log_choose(n - b, a - k) - _log_choose(n, a)
            total += times_a * times_b * (np.exp(logs) * k / n * np.log(n * k / (a * b))).sum()
    return total


def _log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _plugin(table):
    """Information and both entropies of the observed frequencies, in nats."""
    p = table / table.sum()
    h_class, h_cluster = (-xlogy(part, part).sum() for part in (p.sum(1), p.sum(0)))
    return h_class + h_cluster + xlogy(p, p).sum(), h_class, h_cluster
