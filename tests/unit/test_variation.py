"""Information by the number of clusters, and of halves of the textures."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from texalign.geometry import ward
from texalign.information import variation
from texalign.information.mutual import against_chance, mutual_information, resampled_information


@pytest.fixture(scope="module")
def blobs():
    """Three classes of 20 around points, so far apart that Ward's clusters are the classes."""
    rng, classes = np.random.default_rng(0), np.repeat(["a", "b", "c"], 20)
    rows = rng.normal(size=(60, 3)) + 30 * np.repeat(np.eye(3), 20, axis=0)
    return pdist(rows), classes


def test_every_number_of_clusters_is_a_cut_of_the_tree(blobs):
    euclidean, classes = blobs
    tree = ward.ward_tree(euclidean)
    rows = variation.by_clusters(tree, classes, 100, "plugin")
    assert [row["k"] for row in rows] == list(range(1, 61))  # no more than textures
    for row in rows[::13]:
        expected = mutual_information(classes, ward.cut(tree, row["k"]), "plugin")
        assert (row["mi_bits"], row["mi_std_bits"]) == (expected.bits, expected.sd_bits)
    bits = [row["mi_bits"] for row in rows]
    assert np.all(np.diff(bits) > -1e-12)  # a finer cut never tells less
    adjusted = [row["adjusted_mutual_information"] for row in rows]
    assert np.argmax(adjusted) == 2
    assert adjusted[2] == pytest.approx(1)
    assert adjusted[-1] == pytest.approx(0, abs=1e-9)


def test_halves_of_clear_classes_are_clustered_alike(blobs):
    euclidean, classes = blobs
    labels = ward.cut(ward.ward_tree(euclidean), 3)
    found = variation.on_halves(euclidean, classes, labels, repeats=3, estimator="plugin")
    assert (found["half_n"], found["k"]) == (30, 3)
    assert found["half_bits"] == pytest.approx(np.log2(3))
    assert found["half_std_bits"] == pytest.approx(0, abs=1e-9)
    assert found["half_rand"] == pytest.approx(1)


def test_halves_of_noise_are_clustered_otherwise():
    rng, classes = np.random.default_rng(0), np.arange(60) % 3
    euclidean = pdist(rng.normal(size=(60, 20)))
    labels = ward.cut(ward.ward_tree(euclidean), 3)
    assert variation.on_halves(euclidean, classes, labels, repeats=4, seed=1)["half_rand"] < 0.6


def test_textures_drawn_anew_spread_as_new_samples_do():
    """Plug-in information of many textures, where the bootstrap is known to be right."""
    rng, p = np.random.default_rng(0), np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])

    def sample():
        counts = rng.multinomial(1000, p)
        return np.repeat([0, 1], 1000), np.concatenate([np.repeat([0, 1, 2], row) for row in counts])

    fresh = [mutual_information(*sample(), "plugin").bits for _ in range(200)]
    anew = resampled_information(*sample(), repeats=200, estimator="plugin")
    assert anew.std() == pytest.approx(np.std(fresh), rel=0.25)


def test_a_row_of_the_table_holds_its_null_and_its_interval():
    rng, classes = np.random.default_rng(1), np.arange(120) % 4
    clusters = np.where(rng.random(120) < 0.5, classes, rng.integers(0, 4, 120))
    row = against_chance(classes, clusters, permutations=50, simulations=50)
    assert row["mi_low_bits"] < row["mi_corrected_bits"] < row["mi_high_bits"]
    assert row["mi_null_p"] == 1 / 51
    expected = (row["mi_bits"] - row["mi_null_bits"]) / row["mi_null_std_bits"]
    assert row["mi_null_z"] == pytest.approx(expected)
    nothing = [
        against_chance(classes, rng.permutation(classes), permutations=20, simulations=20)["mi_null_p"]
        for _ in range(20)
    ]
    assert 0.25 < np.mean(nothing) < 0.75


def test_difference_of_two_clusterings(blobs):
    _, classes = blobs
    right, wrong = np.unique(classes, return_inverse=True)[1], np.arange(60) % 3
    same = variation.difference(classes, right, right + 5, 20)
    assert (same["difference_bits"], same["difference_std_bits"], same["rand"]) == (0, 0, 1)
    found = variation.difference(classes, right, wrong, 20, 3, "plugin")
    ours, theirs = (mutual_information(classes, labels, "plugin").bits for labels in (right, wrong))
    assert found["other_bits"] == theirs
    assert found["difference_bits"] == ours - theirs
    drawn = [resampled_information(classes, labels, 20, 3, "plugin") for labels in (right, wrong)]
    assert found["difference_std_bits"] == pytest.approx(np.std(drawn[0] - drawn[1], ddof=1))
