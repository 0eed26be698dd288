import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, logsumexp, polygamma

from texalign import InputError, information

LOG2 = np.log(2)
DOC_COUNTS = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2]


def labels(agreement, seed, n=5640, k=47):
    """Classes, and clusters that equal them in a share of the textures and are random elsewhere."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % k
    return classes, np.where(rng.random(n) < agreement, classes, rng.integers(0, k, n))


def dirichlet_counts(concentration, seed, n=5640, k=2209):
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, rng.dirichlet(np.full(k, concentration)))


def brute_force(counts, k, nodes=20_001):
    """Second implementation: a plain sum over log alpha, likelihood as a product, raw second moment."""
    counts = np.asarray(counts)[np.asarray(counts) > 0]
    n = counts.sum()
    u = np.linspace(-45 - np.log(k), 45 + 2 * np.log(n), nodes)
    alpha = np.exp(u)
    log_weight = u + np.log(np.maximum(k * polygamma(1, k * alpha + 1) - polygamma(1, alpha + 1), 1e-300))
    # The likelihood is a product of (alpha + j) over one of (k alpha + j); alpha^n / (k alpha)^n is constant.
    for j in range(1, n):
        log_weight += (counts > j).sum() * np.log1p(j / alpha) - np.log1p(j / (k * alpha))
    weights = np.exp(log_weight - logsumexp(log_weight))

    values, times = np.unique(counts, return_counts=True)
    mean, square = np.empty(nodes), np.empty(nodes)
    for i in range(0, nodes, 2000):
        part = slice(i, i + 2000)
        a = alpha[part, None] + np.append(values, 0)
        z = np.append(times, k - len(counts))
        nu = n + k * alpha[part]
        mean[part] = digamma(nu + 1) - (z * a * digamma(a + 1)).sum(1) / nu
        c = polygamma(1, nu + 2)
        phi = digamma(a + 1) - digamma(nu + 2)[:, None]
        twice = digamma(a + 2) - digamma(nu + 2)[:, None]
        pairs = (
            (z * a * phi).sum(1) ** 2 - (z * a).sum(1) ** 2 * c - (z * a**2 * (phi**2 - c[:, None])).sum(1)
        )
        same = (z * a * (a + 1) * (twice**2 + polygamma(1, a + 2) - c[:, None])).sum(1)
        square[part] = (pairs + same) / (nu * (nu + 1))
    average = weights @ mean
    return average, np.sqrt(max(weights @ square - average**2, 0.0)), alpha, weights


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
    assert information.nsb_entropy(counts, k) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any),
    st.one_of(st.integers(0, 5), st.integers(0, 10**6)),
)
def test_nsb_agrees_with_brute_force_on_any_table(counts, unseen):
    k = max(len(counts) + unseen, 2)
    assert information.nsb_entropy(counts, k) == pytest.approx(brute_force(counts, k)[:2], abs=1e-6)


def test_nsb_agrees_with_brute_force_at_the_studys_size():
    table = information.contingency(*labels(0.5, seed=0))
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
        (information.contingency(*labels(0.3, seed=1)), 2209, 7.1212126482167, 0.01598157342778335),
        (information.contingency(*labels(0.8, seed=2)), 2209, 5.14384841440928, 0.02478689323264667),
    ],
)
def test_nsb_agrees_with_recorded_ndd(counts, k, nats, sd):
    mean, deviation = information.nsb_entropy(counts, k)
    assert mean == pytest.approx(nats, abs=1e-5)
    assert deviation == pytest.approx(sd, abs=3e-5)


@pytest.mark.parametrize(
    ("agreement", "seed", "bits"), [(0.3, 1, 0.8330402565930513), (0.8, 2, 3.6874748744563224)]
)
def test_mutual_information_agrees_with_recorded_ndd(agreement, seed, bits):
    assert information.mutual_information(*labels(agreement, seed)).bits == pytest.approx(bits, abs=1e-5)


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


@pytest.mark.parametrize(
    ("agreement", "n", "k"), [(0.5, 5640, 47), (1.0, 5640, 47), (0.5, 200, 10), (0.3, 600, 12)]
)
def test_sd_of_the_information_agrees_with_sampling(agreement, n, k):
    classes, clusters = labels(agreement, seed=5, n=n, k=k)
    table = information.contingency(classes, clusters)
    _, _, alpha, weights = brute_force(table.ravel(), k * k, nodes=4001)
    rng = np.random.default_rng(0)
    sampled = []
    for a in rng.choice(alpha, 400, p=weights):
        p = rng.standard_gamma(table + a)
        p = np.maximum(p / p.sum(), 1e-300)
        sampled.append((p * np.log2(p / np.outer(p.sum(1), p.sum(0)))).sum())
    sd_bits = information.mutual_information(classes, clusters).sd_bits
    assert 0.65 < np.std(sampled) / sd_bits < 1.15


def test_bound_is_the_plugin_entropy_of_the_classes():
    result = information.mutual_information(*labels(0.4, seed=0))
    assert result.h_class_bits == pytest.approx(np.log2(47), abs=1e-9)
    assert result.max_bits == min(result.h_class_bits, result.h_cluster_bits)
    assert (result.n, result.n_classes, result.n_clusters) == (5640, 47, 47)
    assert all(np.isfinite(result))


def test_identical_partitions_tell_nearly_everything():
    classes, _ = labels(1.0, seed=0)
    result = information.mutual_information(classes, classes)
    assert result.plugin_bits == pytest.approx(np.log2(47), abs=1e-9)
    assert result.bits == pytest.approx(np.log2(47), abs=0.01)


def test_unrelated_partitions_tell_nothing():
    result = information.mutual_information(*labels(0.0, seed=3))
    assert abs(result.bits) < 3 * result.sd_bits
    assert result.plugin_bits > 0.25
    null = information.null_information(*labels(0.6, seed=3), permutations=20)
    assert abs(null.mean()) < 0.02
    assert null.max() < 0.05


def test_information_falls_with_noise():
    for estimator in ("nsb", "plugin"):
        bits = [
            information.mutual_information(*labels(q, 7), estimator).bits for q in (0, 0.1, 0.3, 0.5, 0.8, 1)
        ]
        assert np.all(np.diff(bits) > 0)


def test_information_is_symmetric_and_ignores_names_and_order():
    classes, clusters = labels(0.5, seed=1, n=500, k=9)
    result = information.mutual_information(classes, clusters)
    order = np.random.default_rng(0).permutation(500)
    swapped = information.mutual_information(clusters, classes)
    names = np.array([f"texture {(7 * c) % 9}".encode() for c in classes])
    renamed = information.mutual_information(names[order], 100.5 - clusters[order])
    assert swapped.bits == pytest.approx(result.bits, abs=1e-12)
    assert swapped.sd_bits == pytest.approx(result.sd_bits, abs=1e-12)
    assert renamed == pytest.approx(result, abs=1e-12)


def test_plugin_information_and_its_sd():
    classes, clusters = labels(0.5, seed=1, n=5000, k=4)
    result = information.mutual_information(classes, clusters, "plugin")
    assert result.bits == result.plugin_bits
    rng = np.random.default_rng(0)
    again = []
    for _ in range(200):
        rows = rng.integers(0, 5000, 5000)
        again.append(information.mutual_information(classes[rows], clusters[rows], "plugin").bits)
    assert np.std(again) == pytest.approx(result.sd_bits, rel=0.2)


def test_alphabets_may_be_larger_than_what_occurs():
    classes, clusters = labels(0.5, seed=1, n=60, k=6)
    result = information.mutual_information(classes, clusters, n_classes=8, n_clusters=10)
    joint = information.nsb_entropy(information.contingency(classes, clusters), 80)[0]
    assert (result.n_classes, result.n_clusters) == (8, 10)
    assert result.h_joint_bits == pytest.approx(joint / LOG2, abs=1e-12)


def test_contingency_counts_pairs():
    table = information.contingency(["b", "a", "b", "b"], [3.5, 1.5, 1.5, 3.5])
    assert table.tolist() == [[1, 0], [1, 2]]


def test_the_null_is_seeded():
    given_labels = labels(0.5, seed=1, n=300, k=5)
    first, same, other = (information.null_information(*given_labels, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    plugin = information.null_information(*given_labels, 5, 1, "plugin")
    assert np.all(plugin > first)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: information.nsb_entropy([]), "counts: empty"),
        (lambda: information.nsb_entropy([0, 0], 5), "all are zero"),
        (lambda: information.nsb_entropy([3, -1], 5), "-1 at place 1 is not a whole number"),
        (lambda: information.plugin_entropy([1.5]), "1.5 at place 0"),
        (lambda: information.plugin_entropy([np.nan]), "nan at place 0"),
        (lambda: information.plugin_entropy(["many"]), "are not numbers"),
        (lambda: information.nsb_entropy([1, 2, 3], 2), "n_states: 2 is less than the 3 that occur"),
        (lambda: information.nsb_entropy([1, 2, 3], 3.5), "n_states: 3.5 is not a whole number"),
        (lambda: information.nsb_entropy([1, 2, 3], np.inf), "n_states: inf is not a whole number"),
        (lambda: information.contingency([1, 2], [1]), "2 class labels for 1 cluster labels"),
        (lambda: information.contingency([], []), "no labels"),
        (lambda: information.contingency([1, None], [1, 2]), "cannot be sorted"),
        (
            lambda: information.mutual_information([1, 2], [1, 2], "nbs"),
            "'nbs' is not one of nsb, ndd, plugin",
        ),
        (
            lambda: information.mutual_information([1, 2], [1, 2], n_clusters=1),
            "n_clusters: 1 is less than the 2",
        ),
        (lambda: information.null_information([1, 2], [1, 2], 0), "permutations: 0"),
    ],
)
def test_unusable_input_gets_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'echo "No module named ndd" >&2; exit 3',
            r"cannot import it \(No module named ndd\); .*envs/ndd.yaml",
        ),
        ('echo "maximization didnt converge" >&2; exit 0', r"gave up \(maximization didnt converge\)"),
        ("exit 134", r"gave up \(exit status 134\)"),
    ],
)
def test_ndd_that_fails_gets_one_clear_line(tmp_path, monkeypatch, body, message):
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\ncat >/dev/null\n{body}\n")
    stub.chmod(0o755)
    monkeypatch.setenv("TEXALIGN_NDD_PYTHON", str(stub))
    with pytest.raises(InputError, match=message):
        information.mutual_information([1, 2], [1, 2], "ndd")


def test_ndd_is_asked_once_for_all_tables(tmp_path):
    # A stand-in for the package, on the path of this very interpreter.
    (tmp_path / "ndd.py").write_text(
        "def entropy(counts, *, k, return_std):\n    return float(sum(counts)), float(k)\n"
    )
    stub = tmp_path / "python"
    stub.write_text(
        f'#!/bin/sh\necho once >> {tmp_path}/calls\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n'
    )
    stub.chmod(0o755)
    result = information.mutual_information([1, 1, 2], [1, 2, 2], "ndd", ndd_python=str(stub))
    assert result.bits == pytest.approx(3 / LOG2)
    assert result.sd_bits == pytest.approx(np.sqrt(2**2 + 2**2 + 4**2) / LOG2)
    assert information.null_information(
        [1, 1, 2], [1, 2, 2], 7, estimator="ndd", ndd_python=str(stub)
    ).shape == (7,)
    assert (tmp_path / "calls").read_text().split() == ["once", "once"]


def test_a_missing_ndd_python_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot start .*nowhere"):
        information.mutual_information([1, 2], [1, 2], "ndd", ndd_python=str(tmp_path / "nowhere"))
