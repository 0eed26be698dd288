"""Linear decoding: against scikit-learn, and where the answer is known."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from texalign import InputError, decoding


@pytest.fixture(scope="module")
def textures():
    """Three overlapping classes of 40 in 30 dimensions of unequal variance, and their labels."""
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(120, 30)) + np.repeat(rng.normal(size=(3, 30)), 40, axis=0)) * np.geomspace(
        3, 0.03, 30
    )
    return rows + 5, np.repeat(["a", "b", "c"], 40)


def test_coordinates_are_principal_components(textures):
    rows, _ = textures
    points, share = decoding.coordinates(pdist(rows))
    expected = PCA().fit_transform(rows)
    expected /= np.sqrt(np.square(expected).sum(1).mean())
    assert share == pytest.approx(1, abs=1e-6)
    assert np.square(points).sum(1).mean() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(points @ points.T, expected @ expected.T, atol=1e-4)
    np.testing.assert_allclose(np.abs(points[:, :5]), np.abs(expected[:, :5]), atol=1e-3)


def test_many_textures_have_the_largest_components_only(textures, monkeypatch):
    rows, _ = textures
    every, _ = decoding.coordinates(pdist(rows))
    monkeypatch.setattr(decoding, "SMALL", 10)
    points, share = decoding.coordinates(pdist(rows), rank=8, seed=3)
    assert points.shape == (120, 8)
    assert share == pytest.approx(np.square(every[:, :8]).sum() / np.square(every).sum(), abs=1e-3)
    np.testing.assert_allclose(np.abs(points), np.abs(every[:, :8]), atol=0.02)


def test_textures_that_are_all_the_same_have_one_point():
    points, share = decoding.coordinates(np.zeros(10, np.float32))
    assert points.shape == (5, 1)
    assert not points.any()
    assert np.isnan(share)
    found = decoding.decode(points, list("ababa"), decoding.stratified(list("ababa")))
    assert found["accuracy"] <= found["chance"]


@pytest.mark.parametrize("penalty", [1.0, 1e2, 1e4])
def test_the_classifier_is_scikit_learns(textures, penalty):
    rows, labels = textures
    points = decoding.coordinates(pdist(rows))[0].astype(float)
    classes = np.unique(labels, return_inverse=True)[1]
    weights = decoding.fit(points, classes, 3, penalty, tolerance=1e-7)
    theirs = LogisticRegression(C=penalty, tol=1e-7, max_iter=10_000).fit(points, classes)
    ours = decoding.scores(points, weights)
    expected = theirs.decision_function(points)
    np.testing.assert_allclose(
        ours - ours.mean(1, keepdims=True),
        expected - expected.mean(1, keepdims=True),
        atol=1e-3 * np.abs(expected).max(),
    )
    accuracy = decoding.hits(points, classes, weights).mean()
    assert accuracy == theirs.score(points, classes)
    coarse = decoding.fit(points.astype(np.float32), classes, 3, penalty)
    assert decoding.hits(points, classes, coarse).mean() == pytest.approx(accuracy, abs=0.02)


def test_a_start_does_not_change_the_end(textures):
    rows, labels = textures
    points, _ = decoding.coordinates(pdist(rows))
    classes = np.unique(labels, return_inverse=True)[1]
    cold = decoding.fit(points, classes, 3, 100.0, tolerance=1e-6)
    warm = decoding.fit(points, classes, 3, 100.0, decoding.fit(points, classes, 3, 1.0), 1e-6)
    np.testing.assert_allclose(warm, cold, atol=0.01 * np.abs(cold).max())


def test_classes_that_lie_apart_are_told_and_shuffled_ones_are_not(textures):
    rows, labels = textures
    splits = decoding.stratified(labels)
    apart = rows + 100 * np.eye(30)[np.repeat([0, 1, 2], 40)]
    told = decoding.decode(decoding.coordinates(pdist(apart))[0], labels, splits)
    assert (told["accuracy"], told["accuracy_low"], told["accuracy_high"]) == (1, 1, 1)
    assert told["chance"] == pytest.approx(1 / 3)
    assert (told["n"], told["n_labels"], told["n_fit"], told["n_test"]) == (120, 3, 81, 39)
    shuffled = np.random.default_rng(1).permutation(labels)
    points, _ = decoding.coordinates(pdist(rows))
    chance = decoding.decode(points, shuffled, decoding.stratified(shuffled))
    assert chance["accuracy_low"] < 1 / 3 < chance["accuracy_high"]
    assert chance["accuracy"] < 0.45
    assert chance["accuracy_top5"] == 1  # of three


def test_where_a_texture_lies_does_not_count_nor_its_units(textures):
    """A shift, a turn and a change of units leave the distances' pattern, and so the accuracy, alone."""
    rows, labels = textures
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(30, 30)))[0]
    splits = decoding.stratified(labels, 3)
    first, second = (
        decoding.decode(decoding.coordinates(pdist(x))[0], labels, splits)
        for x in (rows, 7 * rows @ turn + 3)
    )
    assert second["accuracy"] == pytest.approx(first["accuracy"], abs=0.02)
    assert 0.6 < first["accuracy"] < 1


def test_a_label_among_the_best_few():
    points, weights = np.eye(3, dtype=np.float32), np.array([[3.0, 2, 1, 0], [2, 3, 2, 0], [1, 1, 3, 0]])
    classes = np.array([0, 0, 1])
    assert decoding.hits(points, classes, weights).tolist() == [True, False, False]
    assert decoding.hits(points, classes, weights, 2).tolist() == [True, True, True]


def test_interval_takes_splits_for_what_they_are():
    """Nadeau and Bengio's, by hand: not the standard error of independent tests, which is far too small."""
    low, high = decoding.interval([0.5, 0.6, 0.55, 0.65], 80, 40)
    spread = np.std([0.5, 0.6, 0.55, 0.65], ddof=1) * np.sqrt(1 / 4 + 1 / 2)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, 0.575, spread))
    assert decoding.interval([1.0, 0.9, 1.0], 80, 40)[1] == 1
    assert np.isnan(decoding.interval([0.5], 80, 40)).all()


def test_interval_covers_new_textures():
    """A classifier that is right with probability 0.7, whatever it was fitted with: known by simulation."""
    rng, covered = np.random.default_rng(0), 0
    labels = np.repeat(list("abcd"), 30)
    for _ in range(60):
        right = rng.random(120) < 0.7
        accuracies = [right[split.test].mean() for split in decoding.stratified(labels, 10, 0)]
        low, high = decoding.interval(accuracies, 80, 40)
        covered += low <= 0.7 <= high
    assert covered / 60 > 0.85


def test_splits_are_thirds_of_each_label():
    labels = np.array(["a"] * 9 + ["b"] * 2 + ["c"] * 7)
    splits = decoding.stratified(labels, 4, 5)
    for split in splits:
        assert sorted(np.concatenate(split)) == list(range(18))
        counts = [[(labels[part] == name).sum() for part in split] for name in "abc"]
        assert counts == [[3, 3, 3], [1, 0, 1], [3, 2, 2]]
    assert len({tuple(split.test) for split in splits}) == 4
    again = decoding.stratified(labels, 4, 5)
    assert all(
        np.array_equal(a, b)
        for one, two in zip(splits, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    with pytest.raises(InputError, match="'b' has one texture; a label needs two"):
        decoding.stratified(["a", "a", "b"])


def test_official_splits_are_read_by_name(tmp_path):
    files = ["a/1.jpg", "a/2.jpg", "a/3.jpg", "b/1.jpg"]
    for number in range(1, 11):
        (tmp_path / f"train{number}.txt").write_text("b/1.jpg\na/1.jpg\nc/1.jpg\n")
        (tmp_path / f"val{number}.txt").write_text("a/2.jpg\n")
        (tmp_path / f"test{number}.txt").write_text("a/3.jpg\n")
    splits = decoding.official(tmp_path, files)
    assert len(splits) == 10
    assert [part.tolist() for part in splits[9]] == [[0, 3], [1], [2]]
    (tmp_path / "val7.txt").write_text("z/1.jpg\n")
    with pytest.raises(InputError, match=r"val7.txt: names none of the study's textures"):
        decoding.official(tmp_path, files)
    (tmp_path / "val7.txt").unlink()
    with pytest.raises(InputError, match=r"val7.txt: cannot be read .*; delete the folder"):
        decoding.official(tmp_path, files)


def test_labels_of_ones_own_are_joined_by_name(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("label,file\ncat,b/2.jpg\ndog,a/1.jpg\ncow,z/9.jpg\n")
    kept, labels = decoding.read_labels(path, ["a/1.jpg", "b/1.jpg", "b/2.jpg"])
    assert (kept.tolist(), labels.tolist()) == ([0, 2], ["dog", "cat"])
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "2 of 3 textures are joined; 1 textures are missing there, as b/1.jpg; 1 names are of no "
        "texture, as z/9.jpg"
    )
