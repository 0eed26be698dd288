"""Odd-one-out choices: what a representation predicts of them, and what other observers would."""

import itertools

import numpy as np
import pytest

from texalign import InputError
from texalign.human import triplets

FILES = ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]


def write(path, rows):
    path.write_text("\n".join(["odd,first,second,third", *map(",".join, rows)]) + "\n")
    return path


def test_choices_are_read_by_name(tmp_path):
    path = write(
        tmp_path / "x.csv",
        [["b/1.jpg", "a/1.jpg", "b/1.jpg", "a/2.jpg"], ["2.png", "2.png", "a/1.jpg", "b/2.jpg"]],
    )
    found, joined = triplets.read_triplets(path, FILES, "mine")
    assert found.textures.tolist() == [[0, 1, 2]]
    assert (joined.missing, joined.extra) == ([], ["2.png"])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["b/2.jpg", "a/1.jpg", "b/1.jpg", "a/2.jpg"], "row 2: odd is 'b/2.jpg', none of the three"),
        (["a/1.jpg", "a/1.jpg", "a/1.jpg", "a/2.jpg"], "row 2: has a texture twice"),
        (["c/1.jpg", "c/1.jpg", "a/1.jpg", "a/2.jpg"], "no row has three textures of the study"),
    ],
)
def test_choices_that_cannot_be_right_are_refused(tmp_path, row, words):
    with pytest.raises(InputError, match=rf"mine: .*x.csv: {words}"):
        triplets.read_triplets(write(tmp_path / "x.csv", [row]), FILES, "mine")


def on_a_line(places):
    places = np.asarray(places, float)
    return np.abs(places[:, None] - places)


def test_the_odd_one_lies_outside_of_the_nearest_pair():
    rdm = on_a_line([0, 1, 5, 7])
    every = np.array([[a, b, c] for a, b, c in itertools.permutations(range(4), 3)])
    found = triplets.predicted(rdm, triplets.Triplets(every, np.zeros(len(every), int)))
    expected = [float(rdm[a, b] < min(rdm[a, c], rdm[b, c])) for a, b, c in every]
    assert found.tolist() == expected
    tie = triplets.Triplets(np.array([[0, 1, 2]]), np.zeros(1, int))
    assert triplets.predicted(on_a_line([0, 1, 2]), tie) == [0.5]
    assert triplets.predicted(np.ones((3, 3)), tie).item() == pytest.approx(1 / 3)


def test_other_observers_are_the_ceiling():
    """Of one triplet, three observers say 2 and one says 0; another triplet was asked once."""
    textures = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 2], [1, 2, 0], [0, 1, 3]])
    chosen = triplets.Triplets(textures, np.array([0, 0, 0, 0, 1]))
    others, every = triplets.majority(chosen)
    assert every == 3 / 4
    assert others == 3 / 4  # the three have two others on their side; the one has none
    # Two against two: the others are two to one against each.
    chosen = triplets.Triplets(textures[[0, 1, 3, 3]], np.zeros(4, int))
    assert triplets.majority(chosen) == (0, 0.5)
    assert np.isnan(triplets.majority(triplets.Triplets(textures[-1:], np.zeros(1, int)))).all()


def test_p_of_choices_that_an_rdm_made_and_of_another(rng):
    places = rng.normal(size=(12, 2))
    rdm = np.linalg.norm(places[:, None] - places, axis=-1)
    textures = []
    for three in itertools.combinations(range(12), 3):
        pairs = [(rdm[a, b], a, b) for a, b in itertools.combinations(three, 2)]
        _, a, b = min(pairs)
        textures.append([a, b, (set(three) - {a, b}).pop()])
    chosen = triplets.Triplets(np.array(textures), np.arange(len(textures)))
    other = np.abs(rng.normal(size=(12, 12)))
    rows = triplets.compare([rdm, other + other.T], chosen, 99, 0)
    assert rows[0][0]["score"] == 1
    assert rows[0][0]["p_permutation"] == 0.01
    assert rows[1][0]["score"] == pytest.approx(1 / 3, abs=0.15)
    assert rows[1][0]["p_permutation"] > 0.01
    assert rows[0][0]["n"] == 220
