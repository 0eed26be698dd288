"""The specification curve, its null, and what moves it."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from texalign.statistics.curve import effects, specification_curve

NETWORKS = [f"network{i}" for i in range(9)]


@pytest.fixture
def best(rng):
    """Six specifications that have most of their information in common."""
    bits = rng.normal(size=9) + 0.5 * rng.normal(size=(6, 9))
    return pd.DataFrame(bits, [f"s{i}" for i in range(6)], NETWORKS).rename_axis("specification")


@pytest.fixture
def scores(rng):
    return pd.DataFrame(rng.normal(size=(9, 2)), NETWORKS, ["V1", "V2"])


def test_correlations_are_scipys(best, scores):
    scores.loc["network3", "V2"] = np.nan
    found = specification_curve(best, scores.iloc[::-1], samples=50).correlations
    for row in found.itertuples():
        y = scores[row.metric].dropna()
        assert row.n == len(y)
        assert row.pearson_r == pytest.approx(stats.pearsonr(best.loc[row.specification, y.index], y)[0])
    for _, rows in found.groupby("metric"):
        assert rows.sort_values("rank")["pearson_r"].is_monotonic_increasing
        assert (rows["null_low"] < rows["null_high"]).all()


def test_the_mean_curve_is_that_of_the_metrics(best, scores):
    found = specification_curve(best, scores, samples=200)
    r = found.correlations.pivot(index="specification", columns="metric", values="pearson_r")
    mean = found.mean.set_index("specification")
    pd.testing.assert_series_equal(mean["mean_r"], r.mean(axis=1).loc[mean.index], check_names=False)
    assert mean.sort_values("rank")["mean_r"].is_monotonic_increasing
    # The mean of two metrics varies less than each of them.
    both = found.correlations.groupby("rank")[["null_low", "null_high"]].mean()
    assert (mean.set_index("rank")["null_high"] < both["null_high"].loc[mean["rank"]]).all()


def test_pairs_give_networks_the_scores_of_others(best, scores):
    other = dict(zip(NETWORKS, [*NETWORKS[1:], NETWORKS[0]], strict=True))
    found = specification_curve(best, scores, {"s2": other}, 50).correlations.set_index(
        ["specification", "metric"]
    )
    expected = stats.pearsonr(best.loc["s2"], scores["V1"].loc[list(other.values())].to_numpy())[0]
    assert found.loc[("s2", "V1"), "pearson_r"] == pytest.approx(expected)
    right = stats.pearsonr(best.loc["s1"], scores["V1"])[0]
    assert found.loc[("s1", "V1"), "pearson_r"] == pytest.approx(right)


def test_one_specification_and_all_orders_give_the_exact_p(best, scores):
    from texalign.statistics.permutation import permutation_p

    one, few = best.iloc[:1, :6], scores.iloc[:6]
    null = specification_curve(one, few, samples=math.factorial(6)).null.set_index("metric")
    assert null.loc["V1", "permutations"] == 720
    expected = permutation_p(one.iloc[0].to_numpy(), few["V1"].to_numpy()).p
    for measure in ("median_r", "largest_r"):
        assert null.loc["V1", f"p_{measure}"] == pytest.approx(expected, abs=2e-3)


def test_the_whole_curve_is_found_where_scores_follow_what_is_common(best, scores):
    scores = scores.assign(V1=best.mean())
    null = specification_curve(best, scores, samples=1000).null.set_index("metric")
    assert null.loc["V1", "p_median_r"] < 0.01
    assert null.loc["V1", "share_significant"] > 0.5
    assert null.loc["all", "specifications"] == 12


def test_p_values_of_the_whole_curve_are_uniform_where_nothing_is():
    rng, p = np.random.default_rng(1), []
    for _ in range(120):
        bits = pd.DataFrame(rng.normal(size=7) + 0.3 * rng.normal(size=(5, 7)), range(5), NETWORKS[:7])
        y = pd.DataFrame({"V1": rng.normal(size=7)}, NETWORKS[:7])
        p.append(specification_curve(bits, y, samples=100).null["p_median_r"].iloc[0])
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("networks", [0, 2])
def test_too_few_networks_have_no_curve(best, scores, networks):
    found = specification_curve(best, scores.iloc[:networks], samples=50)
    assert found.correlations["pearson_r"].isna().all()
    assert found.null["p_median_r"].isna().all()


def test_effects_are_of_pairs_that_differ_in_one_choice():
    index = pd.Index(["a", "b", "c", "d"], name="specification")
    choices = pd.DataFrame({"readout": ["linear", "relu"] * 2, "k": [None, None, 20, 20]}, index)
    bits = pd.DataFrame({"n": [0.0, 1, 0.1, 1.1]}, index)
    r = pd.DataFrame({"specification": index, "metric": "V1", "pearson_r": [0.0, 0.2, 0.5, 0.7]})
    found = effects(choices, bits, r)
    assert found["choice"].tolist() == ["k", "readout"]
    assert found["pairs"].tolist() == [2, 2]
    np.testing.assert_allclose(found["bits_change"], [0.1, 1.0])
    np.testing.assert_allclose(found["r_change"], [0.5, 0.2])
