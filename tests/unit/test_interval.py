"""The interval of mutual information: it covers the truth, at the study's size and at smaller ones."""

import interval_coverage
import numpy as np
import pytest
from counts import labels

from texalign import InputError
from texalign.information.interval import interval, plugin_bits, simulated_errors
from texalign.information.mutual import mutual_information


@pytest.mark.parametrize("name", ["7 classes of 60, 30 %", "7 classes of 60, near"])
def test_the_interval_covers_simulated_truths(name):
    """A small part of `python bench/interval_coverage.py`: 95 % would miss 6 of 20 once in 3000 trials."""
    found = interval_coverage.covered(name, 20, simulations=100)
    assert found["interval"] >= 15 / 20
    assert abs(found["error"]) < 0.5 * found["width_by_4"] + 0.01


def test_where_nsb_is_low_the_interval_is_not():
    """Evenly spread errors at the study's size: the posterior's standard deviation is no interval."""
    found = interval_coverage.covered("evenly, 30 %", 12, simulations=60)
    assert found["truth"] == pytest.approx(0.87, abs=0.01)
    assert found["nsb_error"] < -0.025
    assert abs(found["error"]) < 0.025


def test_plugin_bits_are_those_of_the_estimator():
    classes, clusters = labels(0.4, seed=1, n=300, k=6)
    table = np.array([[((classes == a) & (clusters == b)).sum() for b in range(6)] for a in range(6)])
    assert plugin_bits(table) == pytest.approx(mutual_information(classes, clusters).plugin_bits, abs=1e-12)
    assert plugin_bits(np.stack([table, np.eye(6)])) == pytest.approx([plugin_bits(table), np.log2(6)])


def test_simulated_bias_is_that_of_miller_and_madow_where_textures_are_many():
    """(R - 1)(C - 1) / 2 n ln 2 bits, to first order."""
    table = np.random.default_rng(0).multinomial(20_000, np.full(16, 1 / 16)).reshape(4, 4)
    errors = simulated_errors(table, 400, np.random.default_rng(1))
    assert errors.mean() == pytest.approx(9 / (2 * 20_000 * np.log(2)), rel=0.25)


def test_perfect_and_absent_information():
    classes, _ = labels(1.0, seed=0, n=47 * 60)
    perfect = interval(classes, classes, 50)
    assert perfect.low_bits <= np.log2(47) <= perfect.high_bits + 0.001
    assert perfect.bits == pytest.approx(np.log2(47), abs=0.01)
    one = interval(classes, np.zeros(47 * 60), 50)
    assert one == pytest.approx((0, 0, 0), abs=1e-12)


def test_nothing_reaches_above_the_entropy_of_the_classes():
    """Few textures of uneven classes, in clusters that hold a class each but for two textures."""
    classes = np.repeat(np.arange(12), [15] * 11 + [4])
    clusters = classes.copy()
    clusters[:2] = [1, 2]
    shares = np.bincount(classes) / len(classes)
    most = -(shares * np.log2(shares)).sum()
    found = interval(classes, clusters, 100)
    assert found.low_bits < found.bits <= found.high_bits <= most
    assert found.high_bits > most - 0.05


def test_the_interval_is_seeded_and_knows_no_names():
    classes, clusters = labels(0.5, seed=1, n=300, k=5)
    first, same, other = (interval(classes, clusters, 50, seed) for seed in (1, 1, 2))
    assert first == same != other
    assert interval([f"class {c}" for c in classes], clusters + 10, 50, 1) == pytest.approx(first)


def test_too_few_simulations_are_refused():
    with pytest.raises(InputError, match="simulations: 5 are too few"):
        interval([0, 1], [0, 1], 5)
