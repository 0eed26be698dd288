"""Correlations of few points: every number against an analytic case or a second implementation."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from texalign.statistics import correlation, multiple, permutation

#: The families of the paper's 12 networks.
FAMILIES = ["AlexNet", *["DenseNet"] * 3, "Inception", *["ResNet"] * 5, *["VGG"] * 2]


def plain_p(x, y, orders):
    """Second implementation: every order by itself."""
    observed = abs(np.corrcoef(x, y)[0, 1])
    return np.mean([abs(np.corrcoef(x, y[list(order)])[0, 1]) >= observed - 1e-9 for order in orders])


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7])
def test_exact_p_counts_every_order(rng, n):
    for _ in range(3):
        x, y = rng.normal(size=(2, n))
        found = permutation.permutation_p(x, y)
        assert found == (pytest.approx(plain_p(x, y, itertools.permutations(range(n)))), 0, math.factorial(n))


def test_exact_p_with_ties_is_scipys(rng):
    x, y = rng.integers(0, 3, 7), rng.integers(0, 3, 7)
    expected = stats.permutation_test(
        (x,), lambda x: stats.pearsonr(x, y)[0], permutation_type="pairings", n_resamples=np.inf
    )
    assert permutation.permutation_p(x, y).p == pytest.approx(expected.pvalue)


def test_exact_p_of_12_networks_is_near_that_of_the_t_test(rng):
    x = rng.normal(size=12)
    y = 0.5 * x + rng.normal(size=12)
    found = permutation.permutation_p(x, y)
    assert found.permutations == 479_001_600
    assert found.p == pytest.approx(stats.pearsonr(x, y).pvalue, abs=0.03)
    drawn = permutation._sampled(*map(permutation._standardised, (x, y)), [np.arange(12)], 50_000, 0)
    assert abs(drawn.p - found.p) < 4 * drawn.error


def test_a_perfect_order_is_as_rare_as_can_be():
    x = np.arange(9.0)
    assert permutation.permutation_p(x, x).p == pytest.approx(2 / math.factorial(9))
    assert permutation.permutation_p(x, -x).p == pytest.approx(2 / math.factorial(9))


def test_p_values_are_uniform_where_nothing_is(rng):
    p = [permutation.permutation_p(*rng.normal(size=(2, 6))).p for _ in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_many_points_are_drawn_with_an_error(rng):
    x, y = rng.normal(size=(2, 30))
    found = permutation.permutation_p(x, y, samples=20_000)
    assert found.permutations == 20_000
    assert found.error == pytest.approx(math.sqrt(found.p * (1 - found.p) / 20_000))
    assert abs(found.p - stats.pearsonr(x, y).pvalue) < 5 * found.error + 0.01
    assert found == permutation.permutation_p(x, y, samples=20_000)


def test_within_families_counts_the_orders_that_keep_them(rng):
    x, y, families = *rng.normal(size=(2, 6)), ["a", "b", "a", "b", "c", "a"]
    orders = [
        order
        for order in itertools.permutations(range(6))
        if all(families[i] == families[j] for i, j in enumerate(order))
    ]
    found = permutation.within_families_p(x, y, families)
    assert found.permutations == len(orders) == 12
    assert found.p == pytest.approx(plain_p(x, y, orders))


def test_the_papers_families_allow_no_p_below_7e_4(rng):
    found = permutation.within_families_p(*rng.normal(size=(2, 12)), FAMILIES)
    assert 1 / found.permutations == pytest.approx(7e-4, rel=0.01)
    drawn = permutation.within_families_p(*rng.normal(size=(2, 24)), ["a"] * 12 + ["b"] * 12, 1000)
    assert drawn.permutations == 1000


@pytest.mark.parametrize("x", [[1.0, 2], [2.0, 2, 2, 2]])
def test_what_has_no_correlation_has_no_p(x):
    for found in (
        permutation.permutation_p(x, np.arange(len(x))),
        permutation.within_families_p(x, np.arange(len(x)), ["a"] * len(x)),
    ):
        assert np.isnan(found.p)
    assert np.isnan(correlation.pearson(np.array(x), np.arange(len(x))))


@pytest.mark.parametrize("rho", [0, 0.5, -0.7])
def test_density_of_r_is_that_of_simulated_r(rho):
    assert integrate.quad(correlation.density, -1, 1, args=(rho, 12))[0] == pytest.approx(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 12))
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(4000, 12))
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    mean = integrate.quad(lambda r: r * correlation.density(r, rho, 12), -1, 1)[0]
    assert mean == pytest.approx(np.mean(r), abs=0.02)
    found = np.mean([stats.pearsonr(a, b).pvalue < 0.05 for a, b in zip(x, y, strict=True)])
    assert correlation.power(rho, 12) == pytest.approx(found, abs=0.03)


def test_power_at_12_networks():
    """A true r of 0.5 is found 4 times in 10; 0.71 is needed for 8 times."""
    assert correlation.power(0, 12) == pytest.approx(0.05)
    assert correlation.power(0.5, 12) == pytest.approx(0.40, abs=0.005)
    smallest = correlation.detectable_r(12)
    assert smallest == pytest.approx(0.712, abs=0.001)
    assert correlation.power(smallest, 12) == pytest.approx(0.8)
    # Fisher's z, an approximation: tanh((1.96 + 0.84) / sqrt(n - 3)).
    assert correlation.detectable_r(100) == pytest.approx(math.tanh(2.8016 / math.sqrt(97)), abs=0.005)
    assert np.isnan(correlation.detectable_r(3))


def test_critical_r_is_where_p_is_alpha():
    r = correlation.critical_r(12)
    assert stats.pearsonr(*correlated(r, 12)).pvalue == pytest.approx(0.05)


def correlated(r, n):
    """Two variables whose correlation is exactly r."""
    x, y = np.random.default_rng(0).normal(size=(2, n))
    x = (x - x.mean()) / np.linalg.norm(x - x.mean())
    y = y - y.mean() - x * (x @ (y - y.mean()))
    return x, r * x + math.sqrt(1 - r * r) * y / np.linalg.norm(y)


@pytest.mark.parametrize(
    ("r", "n", "expected"),
    [(0.6, 20, 10.63361633), (0.1, 12, 0.37007546), (-0.5, 12, 1.21984493), (0.9, 7, 10.03768303)],
)
def test_bayes_factor_is_the_recorded_one_of_pingouin(r, n, expected):
    """`pingouin.bayesfactor_pearson`, version 0.7.0, which has the closed form."""
    assert correlation.bayes_factor(r, n) == pytest.approx(expected, rel=1e-7)
    assert correlation.bayes_factor(-r, n) == pytest.approx(expected, rel=1e-7)


def test_bayes_factor_is_that_of_simulated_studies():
    """How often r lies near 0.5 under all correlations, against how often under none."""
    rng, shape = np.random.default_rng(0), (200_000, 12)
    near = []
    for rho in (rng.uniform(-1, 1, (shape[0], 1)), 0):
        x, noise = rng.normal(size=(2, *shape))
        y = rho * x + np.sqrt(1 - np.square(rho)) * noise
        x -= x.mean(1, keepdims=True)
        y -= y.mean(1, keepdims=True)
        r = (x * y).sum(1) / np.sqrt((x**2).sum(1) * (y**2).sum(1))
        near.append((np.abs(r - 0.5) < 0.03).mean())
    assert correlation.bayes_factor(0.5, 12) == pytest.approx(near[0] / near[1], rel=0.06)


def test_bayes_factor_at_its_ends():
    assert correlation.bayes_factor(0, 12) < 1 / 2.5
    assert correlation.bayes_factor(1, 12) == math.inf
    assert math.isnan(correlation.bayes_factor(math.nan, 12))
    assert math.isnan(correlation.bayes_factor(0.5, 2))


def test_bootstrap_interval_is_scipys(rng):
    x = rng.normal(size=12)
    y = 0.5 * x + rng.normal(size=12)
    low, high = correlation.bootstrap_interval(x, y, 10_000)
    expected = stats.bootstrap(
        (x, y), lambda a, b: stats.pearsonr(a, b, axis=-1)[0], paired=True, method="percentile", rng=1
    ).confidence_interval
    assert (low, high) == pytest.approx(tuple(expected), abs=0.03)
    assert np.isnan(correlation.bootstrap_interval(x[:4], y[:4])).all()


def test_r_without_each_group_by_hand(rng):
    x, y = rng.normal(size=(2, 5))
    found = correlation.leave_out(x, y, ["a", "b", "a", "c", "c"])
    assert list(found) == ["a", "b", "c"]
    assert found["a"] == pytest.approx(np.corrcoef(x[[1, 3, 4]], y[[1, 3, 4]])[0, 1])
    assert np.isnan(correlation.leave_out(x[:3], y[:3], ["a", "b", "c"])["a"])


def test_holm_and_benjamini_hochberg_by_hand():
    p = np.array([0.04, 0.01, np.nan, 0.03])
    np.testing.assert_allclose(multiple.holm(p), [0.06, 0.03, np.nan, 0.06])
    np.testing.assert_allclose(multiple.benjamini_hochberg(p), [0.04, 0.03, np.nan, 0.04])
    assert np.isnan(multiple.benjamini_hochberg([np.nan])).all()
