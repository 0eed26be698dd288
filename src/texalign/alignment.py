"""Whether networks that score as brain-like organise textures the way people do.

The best mutual information of each network is joined with its Brain-Score by the network's key,
never by position, and correlated with each of the seven scores.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import stats

from texalign import brainscore
from texalign.statistics import correlation, permutation
from texalign.statistics.multiple import benjamini_hochberg, holm
from texalign.tables import best_layers, natural


def read_scores(path, columns=None):
    """Read a table of scores: see `texalign.brainscore.read`, which also says what is refused.

    Returns
    -------
    DataFrame
        As `score_table` gives it.
    """
    found = brainscore.read(path, columns)
    return score_table(found.values, found.metrics)


def score_table(scores, metrics=brainscore.METRICS):
    """Scores by network and metric, from a dict to a table.

    Parameters
    ----------
    scores : dict of str to dict
        From network to metric to score.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        Index ``network``, columns `metrics`; NaN where there is no score.
    """
    networks = pd.Index(scores, name="network", dtype=object)
    return pd.DataFrame(list(scores.values()), networks, list(metrics), dtype=float)


def paired(scores, pairs):
    """Give networks the scores of others, as `texalign.brainscore.by_position` pairs them.

    Parameters
    ----------
    scores : DataFrame
        As `score_table` gives it.
    pairs : dict of str to str
        From a network to the one whose scores it is given.

    Returns
    -------
    DataFrame
    """
    return scores.loc[list(pairs.values())].set_axis(pd.Index(pairs, name="network", dtype=object))


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
        All rows of `best` in their order, with the columns of `scores` (NaN where there is none) and
        ``scored``, True where there is at least one.
    """
    joined = best.merge(scores, how="left", left_on="network", right_index=True, validate="one_to_one")
    return joined.assign(scored=joined[list(scores.columns)].notna().any(axis=1)).reset_index(drop=True)


def summary(information, scored, compared, metrics=brainscore.METRICS):
    """Join what is known of each network and layer: its RDM, its information, its network's scores.

    Parameters
    ----------
    information : DataFrame
        The study's table of mutual information; the rows with as many clusters as classes count.
    scored : DataFrame
        As `join_scores` returns it.
    compared : texalign.store.SecondOrder
    metrics : sequence of str
        Columns of `scored` that are scores.

    Returns
    -------
    DataFrame
        A row a network and layer, in the order of `information`, with ``class_identity``, the
        correlation of its RDM with the classes' (NaN for a control, which is not compared), ``rdm``,
        the RDM's path, ``best``, whether it is its network's best layer, and `metrics`.
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
    best = scored[["network", "layer", *metrics]].rename(columns={"layer": "best"})
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
        Indexed by network, a column a metric. Joined with `mi` by key; a correlation uses the networks
        that have both numbers.

    Returns
    -------
    DataFrame
        One row a metric, in the order of the columns: ``metric``; ``n``, the number of networks;
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
    table = pd.DataFrame([_correlation(metric, mi, scores[metric].dropna()) for metric in scores])
    table.insert(table.columns.get_loc("p_value") + 1, "p_holm", holm(table["p_value"]))
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


def against_published(published, correlations):
    """Put the papers' correlations beside this study's.

    Parameters
    ----------
    published : list of dict
        As `texalign.plan.published.of_study` gives it: ``version``, ``metric``, ``n``, ``pearson_r``,
        ``p_value``.
    correlations : DataFrame
        As `correlate` returns it.

    Returns
    -------
    DataFrame
        A row a published number: ``version``; ``metric``; ``published_n``, ``published_r``, ``published_p``;
        ours, ``n``, ``pearson_r``, ``p_value``, NaN for a metric that this study has not; ``r_difference``,
        ours less theirs; ``published_low`` and ``published_high``, the 95 % interval of their r by
        Fisher's z, and ours, ``ci_low`` and ``ci_high``.
    """
    names = {"n": "published_n", "pearson_r": "published_r", "p_value": "published_p"}
    theirs, ours = pd.DataFrame(published).rename(columns=names), correlations.set_index("metric")
    table = theirs.join(ours[["n", "pearson_r", "p_value"]], on="metric", validate="many_to_one")
    table["r_difference"] = table["pearson_r"] - table["published_r"]
    half = stats.norm.ppf(0.975) / np.sqrt(table["published_n"] - 3)
    z = np.arctanh(table["published_r"])
    table["published_low"], table["published_high"] = np.tanh(z - half), np.tanh(z + half)
    return table.join(ours[["ci_low", "ci_high"]], on="metric")


def uncertainty(information, scores, samples=10_000, seed=0):
    """Tell what the correlation with each score rests on, for the best layer and for every layer.

    Parameters
    ----------
    information : DataFrame
        The study's table, of the networks that are compared and with as many clusters as classes: network,
        family, layer, mi_bits.
    scores : DataFrame
        As `score_table` gives it.
    samples, seed : int
        Of the bootstrap, and of permutations that cannot all be counted.

    Returns
    -------
    DataFrame
        A row a choice of layer (``best``, ``L1``, ...) and metric. ``n``; ``pearson_r``; ``p_value``, of
        the t-test; ``p_permutation``, over all orders of the networks, with its ``p_permutation_error``
        where they were drawn; ``p_holm`` and ``p_bh``, that p adjusted for the metrics of the same choice
        of layer; ``p_any_layer``, for the largest abs(r) among all choices of layer; ``p_families``, over
        orders within families, and the ``p_families_smallest`` that it could be; ``spearman_rho`` and
        ``spearman_p``, over all orders; ``fisher_low``, ``fisher_high``, ``bootstrap_low``,
        ``bootstrap_high``, 95 % intervals of r; r's range without one network, ``r_without_one_low`` and
        ``_high``, and ``pivotal``, the network without which r moves most; the same without one family;
        ``r_detectable``, the smallest true abs(r) that is found with a chance of 80 %; ``power_half``, the
        chance to find a true r of 0.5; ``bayes_factor``, evidence for a correlation against none. NaN where
        it cannot be computed.
    """
    families = information.drop_duplicates("network").set_index("network")["family"]
    chosen = {"best": best_layers(information)}
    for layer in sorted(information["layer"].unique(), key=natural):
        chosen[layer] = information[information["layer"] == layer]
    bits = pd.DataFrame({name: rows.set_index("network")["mi_bits"] for name, rows in chosen.items()})
    bits = bits.loc[sorted(set(bits.index) & set(scores.index), key=natural)]
    any_layer = {
        metric: _p_any_layer(bits, scores[metric].reindex(bits.index), samples, seed) for metric in scores
    }
    parts = []
    for name in bits:
        rows = [
            _uncertainty(bits[name], scores[metric], families, samples, seed)
            | {"p_any_layer": any_layer[metric]}
            for metric in scores
        ]
        part = pd.DataFrame(rows)
        part.insert(0, "metric", list(scores))
        part.insert(0, "layer", name)
        part["p_holm"], part["p_bh"] = holm(part["p_permutation"]), benjamini_hochberg(part["p_permutation"])
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _uncertainty(bits, score, families, samples, seed):
    both = pd.DataFrame({"x": score.reindex(bits.index), "y": bits}).dropna()
    x, y, n = both["x"].to_numpy(), both["y"].to_numpy(), len(both)
    groups = families.reindex(both.index).to_numpy()
    r = correlation.pearson(x, y)
    every = permutation.permutation_p(x, y, samples, seed)
    within = permutation.within_families_p(x, y, groups, samples, seed)
    ranks = stats.rankdata(x), stats.rankdata(y)
    fisher = stats.pearsonr(x, y).confidence_interval(0.95) if n >= 4 and np.isfinite(r) else (np.nan,) * 2
    boot = correlation.bootstrap_interval(x, y, samples, seed)
    row = {
        "n": n,
        "pearson_r": r,
        "p_value": float(stats.pearsonr(x, y).pvalue) if np.isfinite(r) else np.nan,
        "p_permutation": every.p,
        "p_permutation_error": every.error,
        "p_families": within.p,
        "p_families_error": within.error,
        "p_families_smallest": 1 / within.permutations if within.permutations else np.nan,
        "spearman_rho": correlation.pearson(*ranks),
        "spearman_p": permutation.permutation_p(*ranks, samples, seed).p,
        "fisher_low": fisher[0],
        "fisher_high": fisher[1],
        "bootstrap_low": boot[0],
        "bootstrap_high": boot[1],
    }
    for ending, left_out in (("one", both.index.to_numpy()), ("family", groups)):
        without = pd.Series(correlation.leave_out(x, y, left_out), dtype=float).dropna()
        row[f"r_without_{ending}_low"] = without.min()
        row[f"r_without_{ending}_high"] = without.max()
        row["pivotal" if ending == "one" else "pivotal_family"] = (
            (without - r).abs().idxmax() if len(without) and np.isfinite(r) else ""
        )
    return row | {
        "r_detectable": correlation.detectable_r(n),
        "power_half": correlation.power(0.5, n) if n >= 4 else np.nan,
        "bayes_factor": correlation.bayes_factor(r, n),
    }


def _p_any_layer(bits, score, samples, seed):
    """P-value of the largest abs(r) over all choices of layer that every scored network has."""
    rows = bits[score.notna()].dropna(axis="columns")
    if len(rows) < 3 or not rows.shape[1] or score.nunique() < 2:
        return np.nan
    x = rows.to_numpy() - rows.to_numpy().mean(0)
    x = x[:, np.linalg.norm(x, axis=0) > 1e-12]
    if not x.shape[1]:
        return np.nan
    x /= np.linalg.norm(x, axis=0)
    y = score.dropna().to_numpy()
    y = (y - y.mean()) / np.linalg.norm(y - y.mean())
    shuffled = np.random.default_rng(seed).permuted(np.tile(y, (samples, 1)), axis=1)
    largest = np.abs(shuffled @ x).max(axis=1)
    return float((1 + (largest >= np.abs(y @ x).max() - 1e-9).sum()) / (1 + samples))


def people_against_scores(agreement, scores):
    """Correlate the networks' best agreement with people with each of their scores: instead of information.

    Parameters
    ----------
    agreement : DataFrame
        reference, words, level, network, layer, score, family, control: the study's table ``human.csv``.
    scores : DataFrame
        As `score_table` gives it.

    Returns
    -------
    DataFrame
        As `correlate` gives it, for each reference, words and level.
    """
    networks = agreement[~agreement["control"] & agreement["network"].isin(scores.index)]
    parts = []
    by = ["reference", "words", "level"]
    for key in dict.fromkeys(agreement[by].itertuples(index=False, name=None)):
        rows = networks[(networks[by] == list(key)).all(axis=1)]
        part = correlate(rows.groupby("network")["score"].max(), scores)
        for i, (name, value) in enumerate(zip(by, key, strict=True)):
            part.insert(i, name, value)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def with_people(summary, agreement):
    """Add to a study's `summary` how far each layer agrees with people.

    Parameters
    ----------
    summary : DataFrame
        network, layer, ...
    agreement : DataFrame
        See `people_against_scores`.

    Returns
    -------
    DataFrame
        With a column for each reference and level, as ``human_people_image``; where class words were left
        out, ``human_people_no_class_words_image``.
    """
    without = agreement["words"] == "no class words"
    column = "human_" + agreement["reference"] + without.map({True: "_no_class_words_", False: "_"})
    rows = agreement.assign(column=column + agreement["level"])
    order = list(dict.fromkeys(rows["column"]))
    wide = rows.pivot(index=["network", "layer"], columns="column", values="score")[order].reset_index()
    return summary.merge(wide, how="left", on=["network", "layer"], validate="one_to_one")


def selected_layers(mi):
    """Choose a layer of each network in three ways.

    Parameters
    ----------
    mi : DataFrame
        The study's table, with as many clusters as classes: network, control, layer, mi_bits, ...

    Returns
    -------
    DataFrame
        Rows of `mi` with ``selection``: ``best``, the layer that tells most, which is a little too good, as
        its own noise has a part in the choice; ``fixed``, the layer that tells most on average in the *other*
        networks that are no controls, where it has no part; ``last``. A way that a network has no layer for
        has no row.
    """
    last, fixed = [], []
    for network, rows in mi.groupby("network", sort=False):
        last.append(rows.loc[[max(rows.index, key=lambda i: natural(rows.loc[i, "layer"]))]])
        others = mi[~mi["control"] & (mi["network"] != network) & mi["layer"].isin(rows["layer"])]
        if len(others):
            means = others.groupby("layer")["mi_bits"].mean()
            order = sorted(means.index, key=lambda layer: (-means[layer], natural(layer)))
            fixed.append(rows[rows["layer"] == order[0]])
    ways = {"best": [best_layers(mi)], "fixed": fixed, "last": last}
    return pd.concat(
        [part.assign(selection=name) for name, parts in ways.items() for part in parts], ignore_index=True
    )


def by_selection(selected, scores):
    """Correlate information with scores for each way to choose a layer.

    Parameters
    ----------
    selected : DataFrame
        As `selected_layers` gives it; controls do not count.
    scores : DataFrame
        As `score_table` gives it.

    Returns
    -------
    DataFrame
        As `correlate` gives it, with ``selection`` in front, and the ``layers`` that were chosen.
    """
    parts = []
    for name, rows in selected[~selected["control"]].groupby("selection", sort=False):
        part = correlate(rows.set_index("network")["mi_bits"], scores)
        part.insert(0, "selection", name)
        chosen = rows.set_index("network")["layer"]
        joined = [text.split(";") if text else [] for text in part["networks"]]
        parts.append(part.assign(layers=[";".join(chosen[own]) for own in joined]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
