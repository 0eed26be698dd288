"""Mutual information: invariances, bounds, its error, and shuffled labels."""

import numpy as np
import pytest
from counts import LOG2, brute_force, labels

from texalign import InputError, information
from texalign.information.contingency import contingency


@pytest.mark.parametrize(
    ("agreement", "seed", "bits"), [(0.3, 1, 0.8330402565930513), (0.8, 2, 3.6874748744563224)]
)
def test_mutual_information_agrees_with_recorded_ndd(agreement, seed, bits):
    assert information.mutual_information(*labels(agreement, seed)).bits == pytest.approx(bits, abs=1e-5)


@pytest.mark.parametrize(
    ("agreement", "n", "k"), [(0.5, 5640, 47), (1.0, 5640, 47), (0.5, 200, 10), (0.3, 600, 12)]
)
def test_sd_of_the_information_agrees_with_sampling(agreement, n, k):
    classes, clusters = labels(agreement, seed=5, n=n, k=k)
    table = contingency(classes, clusters)
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
    joint = information.nsb_entropy(contingency(classes, clusters), 80)[0]
    assert (result.n_classes, result.n_clusters) == (8, 10)
    assert result.h_joint_bits == pytest.approx(joint / LOG2, abs=1e-12)


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
        (lambda: contingency([1, 2], [1]), "2 class labels for 1 cluster labels"),
        (lambda: contingency([], []), "no labels"),
        (lambda: contingency([1, None], [1, 2]), "cannot be sorted"),
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
