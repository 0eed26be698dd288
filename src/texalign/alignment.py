"""Whether networks that score as brain-like organise textures the way people do.

The best mutual information of each network is joined with its Brain-Score by the network's key,
never by position, and correlated with each of the seven scores.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import stats

from texalign import brainscore
from texalign.brainscore import METRICS
from texalign.tables import natural


def read_scores(path):
    """Read a table of Brain-Scores: see `texalign.brainscore.read`, which also says what is refused.

    Returns
    -------
    DataFrame
        As `score_table` gives it.
    """
    return score_table(brainscore.read(path))


def score_table(scores):
    """Scores by network and metric, from a dict to a table.

    Parameters
    ----------
    scores : dict of str to dict
        From network to metric to score.

    Returns
    -------
    DataFrame
        Index ``network``, columns `METRICS`, dimensionless, between 0 and 1 or NaN.
    """
    networks = pd.Index(scores, name="network", dtype=object)
    return pd.DataFrame(list(scores.values()), networks, METRICS, dtype=float)


def join_scores(best, scores):
    """Give each network of the study its scores, by key.

    Parameters
    ----------
    best : DataFrame
        One row a network, as `best_layers` returns it.
    scores : DataFrame
        As `read_scores` returns it. Rows of other networks are left out.

    Returns
    -------
    DataFrame
        All rows of `best` in their order, with the columns `METRICS` (NaN where there is no score)
        and ``scored``, True where there is at least one.
    """
    joined = best.merge(scores, how="left", left_on="network", right_index=True, validate="one_to_one")
    return joined.assign(scored=joined[list(METRICS)].notna().any(axis=1)).reset_index(drop=True)


def summary(information, scored, compared):
    """Join what is known of each network and layer: its RDM, its information, its network's scores.

    Parameters
    ----------
    information : DataFrame
        The study's table of mutual information; the rows with as many clusters as classes count.
    scored : DataFrame
        As `join_scores` returns it.
    compared : texalign.store.SecondOrder

    Returns
    -------
    DataFrame
        A row a network and layer, in the order of `information`, with ``class_identity``, the
        correlation of its RDM with the classes' (NaN for a control, which is not compared), ``rdm``,
        the RDM's path, ``best``, whether it is its network's best layer, and the columns `METRICS`.
    """
    main = information[information["k"] == information["n_classes"]]
    rdms = pd.DataFrame(
        {
            "network": compared.networks,
            "layer": compared.layers,
            "class_identity": compared.class_identity,
            "rdm": compared.paths,
        }
    )
    best = scored[["network", "layer", *METRICS]].rename(columns={"layer": "best"})
    joined = main.merge(rdms, how="left", on=["network", "layer"], validate="one_to_one")
    joined = joined.merge(best, how="left", on="network", validate="many_to_one")
    return joined.assign(best=joined["best"] == joined["layer"])


def correlate(mi, scores):
    """Correlate the networks' best mutual information with each of their scores.

    Parameters
    ----------
    mi : Series or mapping
        From network to bits.
    scores : DataFrame
        Indexed by network, with the columns `METRICS`. Joined with `mi` by key; a correlation uses
        the networks that have both numbers.

    Returns
    -------
    DataFrame
        One row a metric, in the order of `METRICS`: ``metric``; ``n``, the number of networks;
        ``pearson_r``; ``p_value``; ``p_holm``; ``ci_low`` and ``ci_high``, the 95 % interval of r
        by Fisher's z (NaN for n < 4); ``spearman_rho``; ``networks``, separated by ``;``. NaN where
        n < 3, or where either variable is constant.

    Notes
    -----
    ``p_value`` is two-sided: how often, were the two normal variables uncorrelated, n networks would
    give an abs(r) at least this large. It is what Table 2 of the paper lists, with alpha = 0.05, and
    it is *not* corrected for the seven tests. ``p_holm`` is: it holds the probability of any false
    positive among the tests that could be computed below alpha, by Holm's procedure.
    """
    mi = pd.Series(mi, dtype=float, name="mi_bits").dropna()
    for what, index in (("mi", mi.index), ("scores", scores.index)):
        if not index.is_unique:
            raise ValueError(f"{what}: network {index[index.duplicated()][0]} appears twice")
    # Sums in floating point depend on their order: sorted, so that no row order can show in the result.
    networks = sorted(set(mi.index) & set(scores.index), key=natural)
    mi, scores = mi.loc[networks], scores.loc[networks]
    table = pd.DataFrame([_correlation(metric, mi, scores[metric].dropna()) for metric in METRICS])
    table.insert(table.columns.get_loc("p_value") + 1, "p_holm", _holm(table["p_value"].to_numpy()))
    return table


def _correlation(metric, mi, score):
    x, y, n = score.to_numpy(dtype=float), mi.loc[score.index].to_numpy(), len(score)
    r = p = low = high = rho = np.nan
    if n >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.NearConstantInputWarning)
            pearson = stats.pearsonr(x, y)
        r, p = pearson
        low, high = pearson.confidence_interval(0.95) if n >= 4 else (np.nan, np.nan)
        rho = stats.spearmanr(x, y).statistic
    return {
        "metric": metric,
        "n": n,
        "pearson_r": r,
        "p_value": p,
        "ci_low": low,
        "ci_high": high,
        "spearman_rho": rho,
        "networks": ";".join(score.index),
    }


def _holm(p):
    """Adjust p-values by Holm's step-down procedure; NaN stays NaN and does not count as a test."""
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    stepped = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepped))
    return adjusted
