"""The specification curve: a result under every set of choices, and one null for all of it.

References
----------
.. [1] U. Simonsohn, J. P. Simmons, L. D. Nelson, "Specification curve analysis", Nat. Hum. Behav. 4 (2020)
1208.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from texalign.statistics.correlation import critical_r


class Curve(NamedTuple):
    """Correlations under every specification, and how they compare with permuted scores.

    Attributes
    ----------
    correlations : DataFrame
        A row a specification and metric: ``specification``, ``metric``, ``n``, ``pearson_r``, ``rank``
        (from the lowest r of the metric), and ``null_low``, ``null_high``, between which the r of this rank
        lies in 95 % of the permuted curves.
    mean : DataFrame
        A row a specification: ``specification``, ``mean_r`` over the metrics, ``rank``, ``null_low`` and
        ``null_high`` for that.
    null : DataFrame
        A row a metric, and one for all together: the median r over specifications, the share of them with
        p < 0.05, the largest abs(r), each with its p-value over permutations.
    """

    correlations: pd.DataFrame
    mean: pd.DataFrame
    null: pd.DataFrame


def specification_curve(best, scores, pairs=None, samples=5000, seed=0):
    """Correlate each specification's information with each score, and all of it again with permuted scores.

    Scores are permuted over networks, the same way for every metric and specification: what specifications
    have in common is kept, so that the curve as a whole has a p-value ([1]_).

    Parameters
    ----------
    best : DataFrame
        A row a specification, a column a network: bits.
    scores : DataFrame
        Index network, a column a metric.
    pairs : dict of str to dict, optional
        From a specification to whose scores each network is given, where that is not its own.
    samples, seed : int
        Permutations; all of them are made where they are not more.

    Returns
    -------
    Curve
    """
    networks = [network for network in best.columns if network in scores.index]
    bits, pairs = best[networks], pairs or {}
    orders, all_of_them = _orders(len(networks), samples, seed)
    found, permuted, rows, counts = {}, {}, [], {}
    for metric in scores:
        y = scores.loc[networks, metric].to_numpy(dtype=float)
        r, null, counts[metric] = _metric(bits, y, pairs, orders)
        found[metric], permuted[metric] = r, null
        about = {"specification": best.index, "metric": metric, "n": counts[metric], "pearson_r": r}
        rows.append(pd.DataFrame(about | _ranked(r, null)))
    r, null = _mean(found, len(best)), _mean(permuted, (len(orders), len(best)))
    mean = pd.DataFrame({"specification": best.index, "mean_r": r} | _ranked(r, null))
    null = [_against_null(m, found[m], permuted[m], counts[m], all_of_them) for m in found]
    if found:
        together = [np.concatenate(list(part.values()), axis=-1) for part in (found, permuted, counts)]
        null.append(_against_null("all", *together, all_of_them))
    return Curve(pd.concat(rows, ignore_index=True), mean, pd.DataFrame(null))


def _ranked(r, null):
    """Ranks of correlations, from the lowest, and where 95 % of permuted curves have each rank."""
    rank, low, high = r.argsort(kind="stable").argsort(kind="stable"), r, r
    if np.isfinite(r).any():  # then so it is under every permutation
        low, high = np.quantile(np.sort(null, axis=1), [0.025, 0.975], axis=0)
    return {"rank": rank, "null_low": low[rank], "null_high": high[rank]}


def _mean(by_metric, shape):
    """Mean over the metrics that have any correlation."""
    some = [values for values in by_metric.values() if np.isfinite(values).any()]
    return np.mean(some, axis=0) if some else np.full(shape, np.nan)


def _orders(n, samples, seed):
    """Orders of n networks as keys to sort by, and whether they are all there are."""
    if (count := math.factorial(n)) <= samples:
        return np.array(list(itertools.permutations(range(n))), dtype=float).reshape(count, n), True
    return np.random.default_rng(seed).random((samples, n)), False


def _metric(bits, y, pairs, orders):
    """Correlations (specifications,), those of permuted scores (orders, specifications), networks used."""
    scored = np.flatnonzero(np.isfinite(y))
    shuffled = np.full((len(orders), len(y)), np.nan, np.float32)
    if len(scored):
        shuffled[:, scored] = y[scored[orders[:, scored].argsort(axis=1)]]
    place = {network: i for i, network in enumerate(bits.columns)}
    groups = {}
    for i, name in enumerate(bits.index):
        given = tuple(place[pairs.get(name, {}).get(network, network)] for network in bits.columns)
        groups.setdefault(given, []).append(i)
    r, counts = np.full(len(bits), np.nan), np.zeros(len(bits), int)
    null = np.full((len(orders), len(bits)), np.nan, np.float32)
    for given, rows in groups.items():
        given = np.array(given, dtype=int)
        used = np.flatnonzero(np.isfinite(y[given]))
        counts[rows] = len(used)
        if len(used) < 3:
            continue
        x = _standardised(bits.to_numpy()[np.ix_(rows, used)])
        r[rows] = x @ _standardised(y[given][None, used])[0]
        null[:, rows] = _standardised(shuffled[:, given[used]]) @ x.T.astype(np.float32)
    return r, null, counts


def _standardised(rows):
    centred = rows - rows.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.where(norms > 1e-12, centred / norms, np.nan)


def _against_null(metric, r, null, counts, all_of_them):
    edges = np.array([critical_r(n) if n > 2 else np.inf for n in counts])
    measures = {
        "median_r": lambda values: np.nanmedian(values, axis=-1),
        "share_significant": lambda values: (np.abs(values) >= edges).mean(axis=-1),
        "largest_r": lambda values: np.nanmax(np.abs(values), axis=-1),
    }
    row = {"metric": metric, "specifications": len(r), "permutations": len(null)}
    if not np.isfinite(r).any():
        return row | dict.fromkeys([*measures, *(f"p_{name}" for name in measures)], np.nan)
    for name, measure in measures.items():
        observed, permuted = float(measure(r)), np.abs(measure(null))
        hits = int((permuted >= abs(observed) - 1e-6).sum())
        row[name] = observed
        row[f"p_{name}"] = hits / len(null) if all_of_them else (1 + hits) / (1 + len(null))
    return row


def effects(choices, best, correlations):
    """How much each choice moves information and correlations, all others held.

    Parameters
    ----------
    choices : DataFrame
        A row a specification, a column an axis of choice.
    best : DataFrame
        As for `specification_curve`, with the same index.
    correlations : DataFrame
        Of a `Curve`.

    Returns
    -------
    DataFrame
        A row an axis, the one that moves r most first: ``choice``; ``pairs``, of specifications that differ
        in it alone; ``bits_change`` and ``r_change``, the mean abs(difference) in such a pair, over networks
        and over metrics.
    """
    r = correlations.pivot(index="specification", columns="metric", values="pearson_r").loc[best.index]
    plain = choices.astype(object).where(choices.notna(), "none").astype(str)
    rows = []
    for axis in choices.columns:
        others = plain.drop(columns=axis).agg("|".join, axis=1) if choices.shape[1] > 1 else plain[axis] * 0
        pairs = [
            pair
            for group in others.groupby(others).groups.values()
            for pair in itertools.combinations(group, 2)
            if plain.loc[pair[0], axis] != plain.loc[pair[1], axis]
        ]
        if not pairs:
            continue
        first, second = (list(side) for side in zip(*pairs, strict=True))
        rows.append(
            {
                "choice": axis,
                "pairs": len(pairs),
                "bits_change": _mean_difference(best, first, second),
                "r_change": _mean_difference(r, first, second),
            }
        )
    table = pd.DataFrame(rows, columns=["choice", "pairs", "bits_change", "r_change"])
    return table.sort_values("r_change", ascending=False, kind="stable", ignore_index=True)


def _mean_difference(table, first, second):
    difference = np.abs(table.loc[first].to_numpy(float) - table.loc[second].to_numpy(float))
    return float(np.nanmean(difference)) if np.isfinite(difference).any() else np.nan
