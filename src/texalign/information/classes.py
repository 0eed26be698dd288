"""Which classes a clustering recovers, which it confuses, and which images are typical of theirs."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import xlogy

from texalign.geometry.condensed import square_rows
from texalign.information.contingency import contingency

#: Distances that are taken from the RDM at a time: those of 10,000 textures, 2 GB.
BLOCK_VALUES = 10_000**2


def recovered(classes, clusters):
    """Describe how well each class is recovered.

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture.

    Returns
    -------
    list of dict
        A row a class, in sorted order: ``class``; ``n``, its textures; ``matched_cluster``, the one that it
        is paired with so that all pairs together hold as many textures as can be (-1: none is left for it);
        ``recall``, the share of the class in that cluster; ``precision``, the share of that cluster that is
        of the class; ``specific_bits``, what its textures' clusters tell of the class, sum_k p(k|c) log2
        p(k|c) / p(k), whose mean over textures is the plug-in information; ``confused_with``, the class it
        shares most with, and ``confusion``, see `confusions`.
    """
    table, names = contingency(classes, clusters), sorted(set(classes))
    sizes, share = table.sum(1), table / table.sum(1, keepdims=True)
    matched = np.full(len(names), -1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    matched[rows] = columns
    held = np.where(matched >= 0, table[np.arange(len(names)), matched], 0)
    together = confusion_matrix(table)
    np.fill_diagonal(together, -1)
    nearest = together.argmax(1)
    bits = (xlogy(share, share) - xlogy(share, table.sum(0) / table.sum())).sum(1) / np.log(2)
    return [
        {
            "class": name,
            "n": int(sizes[i]),
            "matched_cluster": int(matched[i]),
            "recall": float(held[i] / sizes[i]),
            "precision": float(held[i] / table[:, matched[i]].sum()) if matched[i] >= 0 else 0.0,
            "specific_bits": float(bits[i]),
            "confused_with": names[nearest[i]] if len(names) > 1 else "",
            "confusion": float(together[i, nearest[i]]) if len(names) > 1 else np.nan,
        }
        for i, name in enumerate(names)
    ]


def confusion_matrix(table):
    """How much classes share their clusters, shape (n_classes, n_classes): cosine of their rows in the table.

    That is the probability that one texture of each fall into one cluster, by the geometric mean of the same
    within the classes: 0 where they share no cluster, 1 where they are spread in the same way.
    """
    rows = table / np.linalg.norm(table, axis=1, keepdims=True)
    return rows @ rows.T


def confusions(classes, clusters):
    """List all pairs of classes, the most confused first.

    Returns
    -------
    list of dict
        ``class``, ``other_class``; ``together``, the probability that one texture of each are in one cluster;
        ``confusion``, see `confusion_matrix`.
    """
    table, names = contingency(classes, clusters), sorted(set(classes))
    share = table / table.sum(1, keepdims=True)
    together, confusion = share @ share.T, confusion_matrix(table)
    first, second = np.triu_indices(len(names), k=1)
    order = np.argsort(-confusion[first, second], kind="stable")
    return [
        {
            "class": names[i],
            "other_class": names[j],
            "together": float(together[i, j]),
            "confusion": float(confusion[i, j]),
        }
        for i, j in zip(first[order], second[order], strict=True)
    ]


def chance_together(clusters):
    """Probability that two different textures, whatever their classes, are in one cluster.

    Parameters
    ----------
    clusters : array_like of int, shape (n,)

    Examples
    --------
    >>> chance_together([0, 0, 1, 1])
    0.3333333333333333
    """
    sizes = np.bincount(clusters)
    return float((sizes * (sizes - 1)).sum() / (len(clusters) * (len(clusters) - 1)))


def typicality(euclidean, classes):
    """How far each texture is from the middle of its class, and from that of the nearest other one.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,)
        Condensed Euclidean distances.
    classes : array of str, shape (n,)

    Returns
    -------
    own : array, shape (n,)
        Distance to the mean of the other textures of its class, in the units of the RDM; NaN for a class of
        one.
    nearest_class : array of str, shape (n,)
    nearest : array, shape (n,)
        Distance to the mean of that class.

    Notes
    -----
    A mean needs no rows: its squared distance is the mean squared distance to its members less half of the
    mean squared distance among them.
    """
    names, code, sizes = np.unique(np.asarray(classes), return_inverse=True, return_counts=True)
    member = np.equal.outer(code, np.arange(len(names))).astype(np.float64)
    n, sums = len(code), np.empty_like(member)
    step = max(1, int(BLOCK_VALUES // n))
    for first in range(0, n, step):
        last = min(first + step, n)
        squared = square_rows(np.asarray(euclidean), first, last, n).astype(np.float64)
        sums[first:last] = np.square(squared, out=squared) @ member
    among = (sums * member).sum(0)
    to_others = sums / sizes - among / (2.0 * sizes**2)
    mine, rest = sums[np.arange(len(code)), code], sizes[code] - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        own = mine / rest - (among[code] - 2 * mine) / (2.0 * rest**2)
    to_others[np.arange(len(code)), code] = np.inf
    nearest = to_others.argmin(1)
    return (
        np.sqrt(np.where(rest > 0, np.maximum(own, 0), np.nan)),
        names[nearest],
        np.sqrt(np.maximum(to_others[np.arange(len(code)), nearest], 0)),
    )
