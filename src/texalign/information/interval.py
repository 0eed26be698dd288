"""An interval of mutual information that covers the truth as often as it says, by simulation.

The joint table of classes and clusters has about as many cells as there are textures to a cell, so that no
entropy estimator's own error bar can be trusted (docs/results.md has the simulations). Here a table is fitted
to the counts, tables are simulated from it whose information is known, and what the plug-in value is wrong by
in these is taken off what it is in the data.

References
----------
.. [1] J. Kiefer, J. Wolfowitz, "Consistency of the maximum likelihood estimator in the presence of infinitely
   many incidental parameters", Ann. Math. Stat. 27 (1956) 887: the mixture that is fitted.
.. [2] B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 10: simulation
from a
   fitted model, and the correction of bias.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from texalign.errors import InputError
from texalign.information.contingency import contingency
from texalign.information.nsb import plugin_entropy

#: Ratios p(x, y) / p(x) p(y) that a cell may have; 0 is allowed besides.
_SMALLEST, _NODES = 0.02, 48

#: How many classes the mixture of all clusters counts for in the mixture of each. Between 5 and 30,
#: coverage at the study's size is the same; below, few textures a cell are overfitted, above, very uneven
#: clusters are not.
_SHRINKAGE = 25.0

#: Below so many textures a cell, the interval is that of two fits: see `interval`.
_SPARSE = 2.0

#: Clusters are similar whose sizes are: a Gaussian of the logarithm of their ratio, of this width.
_SIMILAR = 0.5

_STEPS = 200


class Interval(NamedTuple):
    """An interval of mutual information, in bits.

    Attributes
    ----------
    bits : float
        The plug-in value less its mean error in the simulated tables; slightly negative where there is
        nothing.
    low_bits, high_bits : float
        The interval. It is about the textures drawn, with the clusters as they are.
    """

    bits: float
    low_bits: float
    high_bits: float


def interval(classes, clusters, simulations=400, seed=0, level=0.95):
    """Interval of the mutual information of classes and clusters, calibrated by simulation ([2]_).

    The ratio of each cell's probability to that of chance is drawn from a mixture, fitted by maximum
    likelihood ([1]_) for each cluster and shrunk towards that of all clusters. Given the counts, a ratio is
    drawn for every cell, which makes a table of known information; as many textures of each class as there
    are, are drawn from it; and the plug-in value of these is compared with what is known.

    Where cells are about as many as textures, the fitted table itself is uncertain: the interval is widened
    by sqrt(1 + cells / textures), 18 % for 5640 textures in 47 x 47 cells. Below two textures a cell, it
    hangs on which clusters lend to which: small ones beside a few that hold a class each are taken for
    more than they are where all lend to all, and have too little to lend where only those of similar size
    do. No table that sparse tells which is right, so the interval reaches over both.

    No clustering tells more than the classes have, which is known, as how many textures of each there are is
    the image set's design: nothing reaches above their entropy.

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture.
    simulations : int
        At least 20.
    seed : int
    level : float
        Share of the truths that the interval is to cover.

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        Unusable labels, or too few simulations.
    """
    if simulations < 20:
        raise InputError(f"simulations: {simulations} are too few for an interval; use at least 20")
    table = contingency(classes, clusters)
    lending = [None] if table.sum() >= _SPARSE * table.size else [None, _by_size(table)]
    found = [_of_one_fit(table, lent, simulations, seed, level) for lent in lending]
    bits, low, high = zip(*found, strict=True)
    most = plugin_entropy(table.sum(1)) / np.log(2)
    return Interval(*(float(min(value, most)) for value in (np.mean(bits), min(low), max(high))))


def _of_one_fit(table, lent, simulations, seed, level):
    """Bits and interval from tables that are drawn from one fit."""
    errors = simulated_errors(table, simulations, np.random.default_rng(seed), lent)
    observed, mean = plugin_bits(table), errors.mean()
    wider = np.sqrt(1 + table.size / table.sum())
    low, high = mean + wider * (np.quantile(errors, [(1 - level) / 2, (1 + level) / 2]) - mean)
    return observed - mean, observed - high, observed - low


def _by_size(table):
    """Tell what each cluster lends (columns) to the mixture of each (rows): to those of similar size."""
    sizes = np.log(table.sum(0))
    lent = np.exp(-(((sizes[:, None] - sizes) / _SIMILAR) ** 2) / 2)
    return lent / lent.sum(1, keepdims=True)


def plugin_bits(tables):
    """Information of tables of counts or probabilities, shape (..., rows, columns), in bits."""
    p = tables / tables.sum((-2, -1), keepdims=True)
    entropies = [xlogy(part, part).sum(-1) for part in (p.sum(-1), p.sum(-2))]
    return (xlogy(p, p).sum((-2, -1)) - entropies[0] - entropies[1]) / np.log(2)


def simulated_errors(table, simulations, generator, lent=None):
    """Plug-in value less truth of tables that are drawn from a fit to a table, in bits.

    Parameters
    ----------
    table : array of int, shape (n_classes, n_clusters)
        No row and no column is empty.
    simulations : int
    generator : numpy.random.Generator
    lent : array, shape (n_clusters, n_clusters), optional
        Share of each cluster (column) in the mixture that each (row) is shrunk towards; equal by default.

    Returns
    -------
    array, shape (simulations,)
    """
    sizes = table.sum(1)
    expected = np.outer(sizes, table.sum(0)) / table.sum()
    ratios, cumulative, cells = _fitted(table, expected, lent)
    errors = np.empty(simulations)
    for i in range(simulations):
        drawn = (generator.random((table.size, 1)) > cumulative[cells]).sum(1)
        p = expected * ratios[np.minimum(drawn, len(ratios) - 1)].reshape(table.shape)
        sums = p.sum(1, keepdims=True)
        # A class that was given nothing at all stays as it was seen.
        p = np.where(sums > 0, p, table) / np.where(sums > 0, sums, sizes[:, None])
        errors[i] = plugin_bits(generator.multinomial(sizes, p)) - plugin_bits(p * sizes[:, None])
    return errors


def _fitted(table, expected, lent=None):
    """Ratios, their cumulative posterior in each kind of cell, and the kind of each cell."""
    ratios = np.r_[0, np.geomspace(_SMALLEST, max(2, 1.5 * (table / expected).max()), _NODES)]
    n_classes, n_clusters = table.shape
    # Cells of a cluster with the same count and expectation are one kind: five times fewer than cells.
    keys = [np.tile(np.arange(n_clusters), n_classes), table.ravel(), np.repeat(table.sum(1), n_clusters)]
    kinds, first, cells, times = np.unique(
        np.stack(keys, axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    cluster, counts = kinds[:, 0], kinds[:, 1]
    means = expected.ravel()[first][:, None] * ratios
    likelihood = xlogy(counts[:, None], means) - means
    likelihood = np.exp(likelihood - likelihood.max(1, keepdims=True))
    starts = np.searchsorted(cluster, np.arange(n_clusters))
    weights = np.full((n_clusters, len(ratios)), 1 / len(ratios))
    for _ in range(_STEPS):
        posterior = likelihood * weights[cluster]
        posterior *= (times / posterior.sum(1))[:, None]
        sums = np.add.reduceat(posterior, starts, axis=0)
        shared = sums.sum(0) / table.size if lent is None else lent @ sums / n_classes
        weights = (sums + _SHRINKAGE * shared) / (n_classes + _SHRINKAGE)
    posterior = likelihood * weights[cluster]
    return ratios, (posterior / posterior.sum(1, keepdims=True)).cumsum(1), cells.ravel()
