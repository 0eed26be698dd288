"""Matrices of one's own: from CSV and from rsatoolbox, in and out."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from texalign import InputError
from texalign.human import exchange, similarities

FILES = np.array(["a/1.jpg", "a/2.jpg", "b/Jürgen.jpg", "b/图.jpg"])
CLASSES = np.array(list("aabb"))


def write(path, names, matrix, columns=None):
    rows = [",".join([name, *map(str, row)]) for name, row in zip(names, matrix, strict=True)]
    path.write_text("\n".join([",".join(["", *(columns or names)]), *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def matrix(rng):
    return squareform(pdist(rng.normal(size=(4, 2))).round(3))


def test_a_csv_is_joined_by_name_whatever_its_order(tmp_path, matrix):
    order = [2, 0, 3, 1]
    path = write(tmp_path / "x.csv", [FILES[i] for i in order], matrix[np.ix_(order, order)])
    found = similarities.read_similarities(path)
    joined, observers, by_class = similarities.of_textures(found, FILES, CLASSES, "x")
    assert not by_class
    np.testing.assert_allclose(observers, squareform(matrix)[None], rtol=1e-6)
    # Of a study with other textures too, and without one.
    joined, observers, _ = similarities.of_textures(found, [*FILES[:3], "c/9.jpg"], list("aabc"), "x")
    assert (joined.missing, joined.extra) == (["c/9.jpg"], ["b/图.jpg"])
    np.testing.assert_allclose(squareform(observers[0]), matrix[:3, :3], rtol=1e-6)


def test_similarities_are_taken_from_the_largest(tmp_path, matrix):
    alike = 5 - matrix + 5 * np.eye(4)
    found = similarities.read_similarities(write(tmp_path / "x.csv", FILES, alike), similarity=True)
    largest = (5 - matrix)[~np.eye(4, dtype=bool)].max()
    expected = largest - 5 + squareform(matrix)
    np.testing.assert_allclose(squareform(found.matrices[0]), expected, atol=1e-12)


def test_a_matrix_of_classes_says_nothing_of_textures_within_one(tmp_path):
    path = write(tmp_path / "x.csv", ["b", "c", "a"], [[0, 1, 2], [1, 0, 3], [2, 3, 0]])
    joined, observers, by_class = similarities.of_textures(
        similarities.read_similarities(path), FILES, CLASSES, "x"
    )
    assert by_class
    assert (joined.missing, joined.extra) == ([], ["c"])
    np.testing.assert_array_equal(squareform(observers[0]), 2 * (CLASSES[:, None] != CLASSES))


def test_rdms_go_out_to_rsatoolbox_and_come_back(tmp_path, rng):
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")
    rdms = rng.random((2, 6))
    path = tmp_path / "out/rdms.h5"
    exchange.save_rdms(path, rdms, {"network": ["a", "a"], "layer": ["L1", "L2"]}, FILES, CLASSES)
    assert list(path.parent.iterdir()) == [path]
    theirs = rsatoolbox.rdm.load_rdm(str(path))
    np.testing.assert_array_equal(theirs.dissimilarities, rdms)
    assert list(theirs.rdm_descriptors["layer"]) == ["L1", "L2"]
    assert list(theirs.pattern_descriptors["class"]) == list("aabb")
    found = similarities.read_similarities(path)
    assert found.names == list(FILES)
    np.testing.assert_array_equal([squareform(matrix) for matrix in found.matrices], rdms)
    # What rsatoolbox itself saves, under another descriptor.
    theirs = rsatoolbox.rdm.RDMs(rdms, pattern_descriptors={"conds": ["1.jpg", "2.jpg", "x", "y"]})
    theirs.save(str(tmp_path / "theirs.h5"), file_type="hdf5")
    assert similarities.read_similarities(tmp_path / "theirs.h5").names == ["1.jpg", "2.jpg", "x", "y"]
    rsatoolbox.rdm.RDMs(rdms).save(str(tmp_path / "nameless.h5"), file_type="hdf5")
    with pytest.raises(
        InputError, match=r"nameless.h5: no pattern descriptor names the textures; call it file"
    ):
        similarities.read_similarities(tmp_path / "nameless.h5")
    (tmp_path / "broken.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match=r"broken.h5: cannot be read as RDMs of rsatoolbox"):
        similarities.read_similarities(tmp_path / "broken.h5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda names, m: (["a", "a", "c", "d"], m), "a: stands twice; keep one of them"),
        (lambda names, m: (names, m + np.triu(np.ones((4, 4)), 1)), "the matrix is not symmetric"),
        (lambda names, m: (names, -m), "a dissimilarity is negative; .* write similarity: true"),
        (lambda names, m: (names[:2], m[:2, :2]), "2 names; at least 3 are needed"),
        (lambda names, m: (names, np.where(m == m[0, 1], np.nan, m)), "a cell is empty or no finite number"),
        (lambda names, m: (names, m[:, :3]), "has 4 rows, and 3 numbers in a row; give a square"),
        (lambda names, m: (names, np.full((4, 4), "x")), "is no matrix of numbers with names"),
    ],
)
def test_a_matrix_that_cannot_be_right_is_refused(tmp_path, matrix, change, words):
    path = write(tmp_path / "x.csv", *change(list("abcd"), matrix))
    with pytest.raises(InputError, match=rf"x.csv: {words}"):
        similarities.read_similarities(path)


def test_columns_in_another_order_than_rows_are_refused(tmp_path, matrix):
    path = write(tmp_path / "x.csv", list("abcd"), matrix, list("abdc"))
    with pytest.raises(InputError, match="columns and rows have other names, as 'd' and 'c'"):
        similarities.read_similarities(path)
