"""Entropies: against a brute-force integral, sampling, and recorded values of `ndd`."""

import numpy as np
import pytest
from counts import DOC_COUNTS, brute_force, labels
from hypothesis import given, settings
from hypothesis import strategies as st

from texalign import information
from texalign.information.contingency import contingency


def dirichlet_counts(concentration, seed, n=5640, k=2209):
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, rng.dirichlet(np.full(k, concentration)))


@pytest.mark.parametrize(
    ("counts", "k"),
    [
        (DOC_COUNTS, 100),
        (DOC_COUNTS, 19),
        (DOC_COUNTS, 10**6),
        ([1] * 5, 10**6),
        ([1] * 100, 2209),
        ([1] * 1000, 1000),
        ([1] * 30 + [2] * 3, 1000),
        ([3], 10**6),
        ([500], 2),
        ([2, 1, 1, 1], 1000),
        ([100] * 10, 10),
        ([7, 0, 0, 3], 4),
    ],
)
def test_nsb_agrees_with_brute_force(counts, k):
    expected = brute_force(counts, k)[:2]
    assert information.nsb_entropy(counts, k) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any),
    st.one_of(st.integers(0, 5), st.integers(0, 10**6)),
)
def test_nsb_agrees_with_brute_force_on_any_table(counts, unseen):
    k = max(len(counts) + unseen, 2)
    assert information.nsb_entropy(counts, k) == pytest.approx(brute_force(counts, k)[:2], abs=1e-9)


def test_nsb_agrees_with_brute_force_at_the_studys_size():
    table = contingency(*labels(0.5, seed=0))
    assert information.nsb_entropy(table, 2209) == pytest.approx(
        brute_force(table.ravel(), 2209)[:2], abs=1e-6
    )


@pytest.mark.parametrize("k", [2, 47, 10**6, 1e40])
def test_a_single_observation_says_nothing(k):
    # Its likelihood is 1/k for every alpha, and the prior is flat from 0 to log(k).
    assert information.nsb_entropy([1], k)[0] == pytest.approx(np.log(k) / 2, abs=1e-6)


# Recorded from ndd 1.10.6 (numpy 1.26, gfortran 12). Tables on which its truncated range does no harm.
@pytest.mark.parametrize(
    ("counts", "k", "nats", "sd"),
    [
        (DOC_COUNTS, 100, 2.8060922529931225, 0.11945501149743358),
        ([30, 20, 10, 5], 4, 1.2167840942042876, 0.06453708319081461),
        ([500, 300, 200], 10, 1.031329919058215, 0.012276745643073409),
        ([1_000_000, 2_000_000], 2, 0.6365141653207809, 0.00018865057306044134),
        ([120] * 47, 47, 3.8499701213823783, 0.00017717565629737708),
        (dirichlet_counts(0.2, seed=3), 2209, 6.362218250710751, 0.015924825721478162),
        (dirichlet_counts(1.0, seed=4), 2209, 7.29705937825677, 0.01217676846120954),
        (contingency(*labels(0.3, seed=1)), 2209, 7.1212126482167, 0.01598157342778335),
        (contingency(*labels(0.8, seed=2)), 2209, 5.14384841440928, 0.02478689323264667),
    ],
)
def test_nsb_agrees_with_recorded_ndd(counts, k, nats, sd):
    mean, deviation = information.nsb_entropy(counts, k)
    assert mean == pytest.approx(nats, abs=1e-5)
    assert deviation == pytest.approx(sd, abs=3e-5)


# The last digits differ from ndd's, which truncates the integral: 2.5e-3 nats at worst here.
@pytest.mark.parametrize(
    ("counts", "nats", "sd", "tolerance"),
    [
        (DOC_COUNTS, 2.8130746489179046, 0.1244390183672502, 3e-5),
        (list(range(100, 147)), 3.847438300339202, 0.0031517181567106895, 1e-5),
        ([10, 5, 5, 3, 2, 1, 1, 1], 2.037187820924865, 0.2378523647907275, 1e-4),
        ([1, 1, 2, 2, 3, 3, 4, 4, 0], 2.3744060041270085, 0.2934573444495285, 2e-4),
        ([1] * 99 + [3], 8.711229775811734, 0.8030778701180127, 1e-6),  # asymptotic
        ([5], 0.27710810486210646, 0.3925336308654977, 1e-6),
        ([1] * 9, np.log(9), np.inf, 1e-12),  # no coincidences
    ],
)
def test_an_unknown_alphabet_follows_the_rule_of_ndd(counts, nats, sd, tolerance):
    mean, deviation = information.nsb_entropy(counts)
    assert mean == pytest.approx(nats, abs=tolerance)
    assert deviation == pytest.approx(sd, abs=tolerance)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=40).filter(any), st.randoms())
def test_entropy_knows_no_order_and_no_unseen_states(counts, random):
    shuffled = random.sample(counts, len(counts))
    expected = information.nsb_entropy(counts, len(counts))
    assert information.nsb_entropy(shuffled, len(counts)) == expected
    assert information.nsb_entropy([c for c in counts if c], len(counts)) == expected
    assert 0 <= expected[0] <= np.log(len(counts)) + 1e-9
    assert np.isfinite(expected[1])


def test_extremely_large_tables_are_finite_and_near_plugin():
    for counts in ([5_000_000, 5_000_000], [9_999_000, 600, 400], [10**7] + [1] * 5, [200_000] * 50):
        nats, sd = information.nsb_entropy(counts, len(counts))
        assert nats == pytest.approx(information.plugin_entropy(counts), abs=1e-6)
        assert 0 <= sd < 1e-3
    counts = np.random.default_rng(0).poisson(10, 10**6)
    nats, _ = information.nsb_entropy(counts, 10**6)
    # The frequencies are uniform: NSB finds log(k), plug-in falls short by about k / 2n.
    assert nats == pytest.approx(np.log(10**6), abs=1e-3)
    assert information.plugin_entropy(counts) < nats - 0.04


def test_one_state_has_no_entropy():
    assert information.nsb_entropy([5], 1) == (0.0, 0.0)
    assert information.plugin_entropy([5]) == 0.0
    assert information.nsb_entropy([10**7], 2)[0] == pytest.approx(0, abs=1e-6)


def test_posterior_sd_of_the_entropy_agrees_with_sampling():
    counts, k = [9, 4, 2, 1, 1], 12
    _, _, alpha, weights = brute_force(counts, k, nodes=4001)
    rng = np.random.default_rng(0)
    drawn = rng.choice(alpha, 20_000, p=weights)[:, None]
    gammas = rng.standard_gamma(np.pad(counts, (0, k - len(counts))) + np.maximum(drawn, 1e-12))
    p = np.maximum(gammas / gammas.sum(1, keepdims=True), 1e-300)
    entropies = -(p * np.log(p)).sum(1)
    nats, sd = information.nsb_entropy(counts, k)
    assert entropies.mean() == pytest.approx(nats, abs=5 * sd / np.sqrt(20_000))
    assert entropies.std() == pytest.approx(sd, rel=0.03)
