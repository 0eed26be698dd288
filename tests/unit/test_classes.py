"""Classes that are recovered, confused, and the images typical of them."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from texalign.information import classes as described
from texalign.information.contingency import contingency
from texalign.information.mutual import mutual_information

#: Four a class: `a` is alone in cluster 0, `b` and `c` share 1 and 2 evenly.
CLASSES = np.repeat(["a", "b", "c"], 4)
CLUSTERS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 1, 1, 2, 2])


def test_a_recovered_class_and_two_confused_ones():
    a, b, c = described.recovered(CLASSES, CLUSTERS)
    assert (a["matched_cluster"], a["recall"], a["precision"]) == (0, 1, 1)
    assert a["specific_bits"] == pytest.approx(np.log2(3))
    assert {b["matched_cluster"], c["matched_cluster"]} == {1, 2}
    assert (b["recall"], b["precision"]) == (0.5, 0.5)
    assert (b["confused_with"], b["confusion"]) == ("c", pytest.approx(1))
    assert a["confusion"] == pytest.approx(0)


def test_pairs_are_sorted_by_their_confusion():
    pairs = described.confusions(CLASSES, CLUSTERS)
    assert [(row["class"], row["other_class"]) for row in pairs] == [("b", "c"), ("a", "b"), ("a", "c")]
    assert pairs[0]["together"] == pytest.approx(0.5)
    assert pairs[0]["confusion"] == pytest.approx(1)
    assert pairs[1]["together"] == pairs[1]["confusion"] == 0


def test_specific_bits_average_to_the_information(rng):
    classes, clusters = rng.integers(0, 5, 200), rng.integers(0, 7, 200)
    rows = described.recovered(classes, clusters)
    mean = sum(row["n"] * row["specific_bits"] for row in rows) / 200
    assert mean == pytest.approx(mutual_information(classes, clusters).plugin_bits, abs=1e-12)


def test_together_is_a_probability_of_two_textures(rng):
    classes, clusters = rng.integers(0, 3, 60), rng.integers(0, 4, 60)
    for row in described.confusions(classes, clusters):
        first, second = clusters[classes == row["class"]], clusters[classes == row["other_class"]]
        assert row["together"] == pytest.approx(np.equal.outer(first, second).mean())
    matrix = described.confusion_matrix(contingency(classes, clusters))
    np.testing.assert_allclose(matrix.diagonal(), 1)


def test_more_classes_than_clusters_leave_some_unmatched():
    rows = described.recovered(["a", "b", "c"], [0, 0, 1])
    assert sorted(row["matched_cluster"] for row in rows) == [-1, 0, 1]
    assert [row["recall"] for row in rows if row["matched_cluster"] < 0] == [0]
    assert described.recovered(["a", "a"], [0, 1])[0]["confused_with"] == ""


@pytest.mark.parametrize("block", [1, 40, described.BLOCK_VALUES])
def test_distances_to_the_middles_of_classes_by_hand(rng, monkeypatch, block):
    monkeypatch.setattr(described, "BLOCK_VALUES", block)
    rows, classes = rng.normal(size=(12, 4)), CLASSES
    own, nearest_class, nearest = described.typicality(pdist(rows), classes)
    for i, row in enumerate(rows):
        others = classes == classes[i]
        others[i] = False
        assert own[i] == pytest.approx(np.linalg.norm(row - rows[others].mean(0)))
        middles = {c: np.linalg.norm(row - rows[classes == c].mean(0)) for c in set(classes) - {classes[i]}}
        assert nearest_class[i] == min(middles, key=middles.get)
        assert nearest[i] == pytest.approx(min(middles.values()))


def test_a_class_of_one_has_no_middle_of_others():
    own, nearest_class, _ = described.typicality(pdist(np.eye(3)), np.array(["a", "a", "b"]))
    assert np.isnan(own).tolist() == [False, False, True]
    assert nearest_class.tolist() == ["b", "b", "a"]
