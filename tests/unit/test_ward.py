"""Ward trees, their cuts, and what Ward is run on: against SciPy and scikit-learn."""

import itertools

import numpy as np
import pytest
import scipy.cluster.hierarchy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score
from small import random_rows

from texalign import InputError
from texalign.geometry import chain, distances, ward


def crowds(n, seed, d=6):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, d)) * 3
    return (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_labels_are_scikit_learns(seed):
    rows = crowds(80, seed)
    tree = ward.ward_tree(distances.rdm(rows))
    for k in (1, 2, 3, 5, 20, 47, 79, 80):
        expected = AgglomerativeClustering(n_clusters=k, linkage="ward").fit(rows).labels_
        assert adjusted_rand_score(expected, ward.cut(tree, k)) == 1


def test_tree_merges_by_wards_criterion():
    """Each merge is the one that adds least to the sum of squares within the clusters."""
    rows = random_rows(12, 3, dtype=float)
    tree = ward.ward_tree(pdist(rows))
    clusters = {i: [i] for i in range(12)}

    def within(members):
        return ((rows[members] - rows[members].mean(axis=0)) ** 2).sum()

    def cost(a, b):
        return within(clusters[a] + clusters[b]) - within(clusters[a]) - within(clusters[b])

    for step, (a, b, height, size) in enumerate(tree):
        best = min(itertools.combinations(clusters, 2), key=lambda pair: cost(*pair))
        assert set(best) == {a, b}
        assert height == pytest.approx(np.sqrt(2 * cost(*best)))
        clusters[12 + step] = clusters.pop(int(a)) + clusters.pop(int(b))
        assert size == len(clusters[12 + step])


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=25),
    data=st.data(),
)
def test_exactly_k_clusters_where_heights_tie(points, data):
    """Points on a small grid: many duplicates, many equal heights."""
    tree = ward.ward_tree(pdist(np.array(points, float)))
    n = len(points)
    k = data.draw(st.integers(1, n))
    labels = ward.cut(tree, k)
    assert labels.dtype == np.int32
    assert labels.shape == (n,)
    assert list(dict.fromkeys(labels.tolist())) == list(range(k))  # numbered by their first texture
    if k < n:  # the clusterings are nested: one of k is two of k + 1
        finer = ward.cut(tree, k + 1)
        assert len(set(zip(labels.tolist(), finer.tolist(), strict=True))) == k + 1
    # Duplicates are together as long as there are enough clusters without parting them.
    if k <= len(set(points)):
        assert len(set(zip(points, labels.tolist(), strict=True))) == len(set(points))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 20))
def test_partition_does_not_depend_on_the_order_of_the_textures(seed, k):
    rows = crowds(20, seed)
    order = np.random.default_rng(seed).permutation(20)
    labels = ward.cut(ward.ward_tree(pdist(rows.astype(float))), k)
    shuffled = ward.cut(ward.ward_tree(pdist(rows[order].astype(float))), k)
    assert adjusted_rand_score(labels[order], shuffled) == 1


@pytest.mark.parametrize("k", [-1, 0, 11])
def test_impossible_number_of_clusters(k):
    tree = ward.ward_tree(pdist(random_rows(10, 3)))
    with pytest.raises(InputError, match=rf"k: {k} clusters of 10 textures .* 1 \.\.\. 10"):
        ward.cut(tree, k)


@settings(max_examples=80, deadline=None)  # the first call compiles
@given(n=st.integers(2, 40), ties=st.booleans(), seed=st.integers(0, 99))
def test_a_tree_in_the_distances_own_memory_is_scipys(n, ties, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 3, (n, 2)) if ties else rng.normal(size=(n, 3))
    theirs = scipy.cluster.hierarchy.ward(pdist(rows))
    for dtype, error in ((np.float64, 1e-9), (np.float32, 5e-6)):
        ours = chain.ward_in_place(pdist(rows).astype(dtype))
        assert scipy.cluster.hierarchy.is_valid_linkage(ours)
        assert (np.diff(ours[:, 2]) >= 0).all()
        members = {i: [i] for i in range(n)}
        for node, (a, b, height, size) in enumerate(ours, start=n):  # Ward's criterion itself
            x, y = (rows[members[int(side)]] for side in (a, b))
            apart = np.linalg.norm(x.mean(0) - y.mean(0)) * np.sqrt(2 * len(x) * len(y) / size)
            assert height == pytest.approx(apart, rel=error, abs=error)
            members[node] = members[int(a)] + members[int(b)]
        if not ties:  # with them, several trees are Ward's
            np.testing.assert_array_equal(ours[:, [0, 1, 3]], theirs[:, [0, 1, 3]])


@pytest.mark.parametrize("overwrite", [False, True])
def test_very_many_textures_are_clustered_in_float32(monkeypatch, overwrite):
    distances = pdist(random_rows(60, 5)).astype(np.float32)
    given, theirs = distances.copy(), ward.ward_tree(distances)
    monkeypatch.setattr(ward, "IN_SCIPY", 50)
    ours = ward.ward_tree(given, overwrite)
    np.testing.assert_array_equal(ours[:, [0, 1, 3]], theirs[:, [0, 1, 3]])
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-6)
    assert np.array_equal(given, distances) != overwrite


def test_two_textures():
    tree = ward.ward_tree(np.array([1.0], np.float32))
    assert ward.cut(tree, 1).tolist() == [0, 0]
    assert ward.cut(tree, 2).tolist() == [0, 1]


def assert_same_tree(distances, rows):
    ours, theirs = ward.ward_tree(distances), scipy.cluster.hierarchy.ward(pdist(rows))
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-3)
    for k in (2, 5, 20):
        assert adjusted_rand_score(ward.cut(ours, k), ward.cut(theirs, k)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_variants_are_ward_on_the_vectors_they_name(seed):
    rows = np.abs(crowds(60, seed))
    euclidean, cosine, _ = distances.rdms(rows)
    vectors = {
        "gram": rows.astype(float),
        "rdm_rows": squareform(pdist(rows.astype(float))),
        "cosine": rows / np.linalg.norm(rows.astype(float), axis=1, keepdims=True),
    }
    assert set(vectors) == set(ward.CLUSTERINGS)
    for on, expected in vectors.items():
        given_ = {"euclidean": euclidean.copy(), "cosine": cosine.copy()}
        assert_same_tree(ward.clustering_distances(on, given_), expected)
        np.testing.assert_array_equal(given_["euclidean"], euclidean)
        np.testing.assert_array_equal(given_["cosine"], cosine)
        # Only what is needed is read.
        del given_["euclidean" if on == "cosine" else "cosine"]
        ward.clustering_distances(on, given_)
    with pytest.raises(InputError, match=r"'rows'.*gram, rdm_rows, cosine"):
        ward.clustering_distances("rows", given_)


@pytest.mark.parametrize("on", ward.CLUSTERINGS)
def test_variants_take_duplicates(on):
    rows = np.abs(crowds(30, 0))
    rows[20:] = rows[:10]
    euclidean, cosine, _ = distances.rdms(rows)
    rdm = {"euclidean": euclidean, "cosine": cosine}
    labels = ward.cut(ward.ward_tree(ward.clustering_distances(on, rdm)), 20)
    np.testing.assert_array_equal(labels[20:], labels[:10])
    same = np.zeros(3, np.float32)  # every texture the same
    assert ward.clustering_distances(on, {"euclidean": same, "cosine": same}).tolist() == [0, 0, 0]
