"""What is shown of tables and arrays, before it is drawn."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist, squareform

from texalign import views
from texalign.store import SecondOrder


@pytest.mark.parametrize(("n", "pixels"), [(12, 4), (12, 12), (12, 50), (23, 7), (2, 900)])
def test_reduced_rdm_is_the_block_mean(rng, n, pixels):
    condensed = rng.uniform(size=n * (n - 1) // 2).astype(np.float32)
    reduced, square = views.reduce_rdm(condensed, n, pixels), squareform(condensed.astype(float))
    edges = np.linspace(0, n, min(n, pixels) + 1).round().astype(int)
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    naive = [[square[np.ix_(a, b)].mean() for b in blocks] for a in blocks]
    np.testing.assert_allclose(reduced, naive, rtol=1e-12)
    np.testing.assert_array_equal(reduced, reduced.T)


def test_reduced_rdm_refuses_the_wrong_size():
    with pytest.raises(ValueError, match="4 textures need 6"):
        views.reduce_rdm(np.zeros(5), 4)


@pytest.mark.parametrize(("classes", "clusters"), [(4, 4), (3, 6), (6, 3)])
def test_matched_order_finds_the_hidden_diagonal(rng, classes, clusters):
    diagonal = np.eye(classes, clusters, dtype=int) * np.arange(90, 90 - clusters, -1)
    rows, columns = rng.permutation(classes), rng.permutation(clusters)
    hidden = (diagonal + 1)[np.ix_(rows, columns)]
    found_rows, found_columns = views.matched_order(hidden)
    assert sorted(found_rows) == list(range(classes))
    assert sorted(found_columns) == list(range(clusters))
    side = min(classes, clusters)
    assert (np.diag(hidden[np.ix_(found_rows, found_columns)])[:side] > 80).all()


def test_extremes_are_the_nearest_and_the_farthest():
    files = [f"{name}/{i}.png" for name in "ab" for i in range(5)]
    labels = pd.DataFrame({"layer": "L1", "file": files, "class": list("aaaaabbbbb")})
    labels["own_distance"] = [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    both = pd.concat([labels, labels.assign(layer="L2", own_distance=0.0)])
    found = views.extremes(both, "L1", 2)
    assert found["a"] == (["a/1.png", "a/3.png"], ["a/2.png", "a/4.png"])
    assert found["b"] == (["b/1.png", "b/4.png"], ["b/2.png", "b/0.png"])
    assert [len(files) for files in views.extremes(labels.iloc[:3], "L1")["a"]] == [1, 1]


def test_a_mosaic_keeps_every_image_in_its_place(rng):
    images = rng.integers(0, 255, (4, 9, 9, 3), np.uint8)
    picture, middles = views.mosaic([[images[:1], images[1:2]], [images[2:3], images[3:]]], side=9, gap=1)
    assert picture.shape == (20, 20, 3)
    np.testing.assert_array_equal(picture[10:19, 10:19], images[3])
    np.testing.assert_array_equal(picture[:9, 10:19], images[1])
    assert (picture[9] == 255).all()
    np.testing.assert_allclose(middles, [4.5, 14.5])


def test_recovery_takes_the_best_layers_and_sorts_the_classes():
    rows = [(n, layer, c, 0.1) for n in "mn" for layer in ("L1", "L2") for c in ("a", "b")]
    classes = pd.DataFrame(rows, columns=["network", "layer", "class", "recall"])
    classes.loc[(classes["class"] == "b") & (classes["layer"] == "L2"), "recall"] = 0.9
    best = pd.DataFrame({"network": ["n", "m"], "layer": ["L2", "L1"]})
    table = views.recovery(classes, best)
    assert list(table.columns) == ["n", "m"]
    assert table.to_numpy().tolist() == [[0.9, 0.1], [0.1, 0.1]]
    assert list(table.index) == ["b", "a"]


def test_a_map_has_networks_classes_and_people():
    """Four RDMs at the corners of a square: a's layers and the classes are far apart, people lie at L1."""
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    compared = SecondOrder(("a", "a"), ("L1", "L2"), ("", ""), (rows @ rows.T)[:2, :2], np.zeros(2))
    found = views.second_order_map(compared)
    assert found[["network", "layer"]].to_numpy().tolist() == [["a", "L1"], ["a", "L2"], ["classes", "L1"]]
    sides = pdist(found[["x", "y"]])
    np.testing.assert_allclose(sides, np.sqrt(2), rtol=1e-3)
    assert found["stress"].max() < 1e-3

    told = [("a", "L1", 1.0), ("a", "L2", 0.0), ("classes", "L1", 0.0), ("b", "L9", 0.3)]
    people = pd.DataFrame(told, columns=["network", "layer", "score"])
    people = people.assign(reference="people", words="all words", level="image", kind="descriptions")
    other = people.assign(words="no class words", score=0.5)
    choices = people.assign(reference="odd", kind="triplets", words="choices")
    found = views.second_order_map(compared, pd.concat([people, other, choices]))
    assert found["network"].tolist() == ["a", "a", "classes", "people"]
    places = found[["x", "y"]].to_numpy()
    np.testing.assert_allclose(places[3], places[0], atol=0.02)


def test_an_rdm_that_correlates_with_nothing_is_left_out_of_the_map():
    matrix = np.array([[1, np.nan, 0.5], [np.nan, np.nan, np.nan], [0.5, np.nan, 1]])
    compared = SecondOrder(("a", "b", "c"), ("L1",) * 3, ("",) * 3, matrix, np.array([0.1, np.nan, 0.2]))
    assert views.second_order_map(compared)["network"].tolist() == ["a", "c", "classes"]


def test_a_known_matching_gives_the_same_order(rng):
    table = rng.poisson(3, (7, 9))
    rows, columns = linear_sum_assignment(table, maximize=True)
    matched = np.full(7, -1)
    matched[rows] = columns
    for found, expected in zip(views.matched_order(table, matched), views.matched_order(table), strict=True):
        np.testing.assert_array_equal(found, expected)
    few = views.matched_order(table[:, :3], [-1, 0, 2, -1, -1, 1, -1])
    assert sorted(few[0]) == list(range(7))
    assert sorted(few[1]) == [0, 1, 2]


def test_members_of_clusters_are_spread_over_their_classes():
    classes = ["a"] * 6 + ["b"] * 6
    files = [f"{name}/{i}" for i, name in enumerate(classes)]
    first, second = views.members(files, classes, [0] * 9 + [1] * 3, most=3)
    assert first == ("0: a, 6 of 9", ["a/0", "a/4", "b/8"])
    assert second == ("1: b, 3 of 3", ["b/9", "b/10", "b/11"])
