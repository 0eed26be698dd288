"""Descriptions of textures: words to rows, with and without those that name a class."""

import json

import numpy as np
import pytest
from studies import REPOSITORY

from texalign import InputError
from texalign.geometry import ward
from texalign.human import descriptions
from texalign.information.mutual import mutual_information

DATA = REPOSITORY.parent / "shared/data/human/dtd2_image_descriptions.json"


def test_descriptions_are_read_from_both_forms(tmp_path):
    texts = {"a/1.jpg": ["red, round", "dots"], "b/2.jpg": ["lines"]}
    entries = [{"image_name": name, "category": "x", "descriptions": own} for name, own in texts.items()]
    (tmp_path / "x.json").write_text(json.dumps([*entries, {"image_name": "c", "descriptions": [" "]}]))
    (tmp_path / "x.csv").write_text('file,description\na/1.jpg,"red, round"\nb/2.jpg,lines\na/1.jpg,dots\n')
    assert descriptions.read_descriptions(tmp_path / "x.json") == texts
    assert descriptions.read_descriptions(tmp_path / "x.csv") == texts


@pytest.mark.parametrize("content", ["", "{", "3", "[3]", '{"a": 1}', '[{"image_name": "a"}]'])
def test_what_is_no_list_of_descriptions_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=r"x.json: no descriptions \(.*\); give a list of") as error:
        descriptions.read_descriptions(tmp_path / "x.json")
    assert "\n" not in str(error.value)
    (tmp_path / "x.json").write_text('[{"image_name": "a", "descriptions": []}]')
    with pytest.raises(InputError, match=r"x.json: has no description of any image"):
        descriptions.read_descriptions(tmp_path / "x.json")


def test_rows_say_how_alike_descriptions_are():
    texts = [["red dots", "dots"], ["dots red dots"], ["blue lines"], ["Lines, BLUE lines!"], ["a"]]
    rows = descriptions.describe(texts, components=10)
    alike = rows @ rows.T
    assert alike[0, 1] > 0.95
    assert alike[2, 3] > 0.95
    np.testing.assert_allclose(alike[:2, 2:4], 0, atol=1e-6)  # no word in common
    np.testing.assert_allclose(
        np.linalg.norm(rows, axis=1), [1, 1, 1, 1, 0], atol=1e-6
    )  # one letter is no word
    np.testing.assert_array_equal(rows, descriptions.describe(texts, components=10))


def test_weights_are_tf_idf_by_hand():
    """All dimensions are kept, so that products of rows are those of the weights."""
    texts = [["dots dots dots red"], ["dots blue"], ["green blue"]]
    rows = descriptions.describe(texts, components=10)
    idf = {
        "dots": np.log(4 / 3) + 1,
        "blue": np.log(4 / 3) + 1,
        "red": np.log(4 / 2) + 1,
        "green": np.log(4 / 2) + 1,
    }
    weights = np.array(
        [
            [(1 + np.log(3)) * idf["dots"], 0, idf["red"], 0],
            [idf["dots"], idf["blue"], 0, 0],
            [0, idf["blue"], 0, idf["green"]],
        ]
    )
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    np.testing.assert_allclose(rows @ rows.T, weights @ weights.T, atol=1e-6)


def test_words_that_begin_like_a_class_are_left_out():
    named = descriptions.class_beginnings(["polka-dotted", "striped"])
    assert named == {"polk", "dott", "stri"}
    texts = [["polka dots"], ["stripes strict red"], ["dotted dots"], ["string of red"]]
    rows = descriptions.describe(texts, named, components=10)
    alike = rows @ rows.T
    assert alike[0, 2] == pytest.approx(1)  # dots are no word that names
    assert alike[1, 3] > 0.5
    with pytest.raises(InputError, match="no words are left"):
        descriptions.describe([["striped"], ["stripes"]], named)
    with pytest.raises(InputError, match="all textures have the same single word"):
        descriptions.describe([["red"], ["red"]])


def test_halves_share_no_description():
    texts = [[f"t{i}d{j}" for j in range(i + 2)] for i in range(6)]
    sizes = []
    for seed in range(20):
        first, second = descriptions.halves(texts, np.random.default_rng(seed))
        assert all(sorted(a + b) == own for a, b, own in zip(first, second, texts, strict=True))
        assert all(abs(len(a) - len(b)) <= 1 for a, b in zip(first, second, strict=True))
        sizes += [len(a) - len(b) for a, b in zip(first, second, strict=True)]
    assert set(sizes) == {-1, 0, 1}
    rdms = list(
        descriptions.split_rdms([["red dots", "dots"], ["red", "blue"], ["blue", "lines"]], 2, seed=1)
    )
    assert [rdm.shape for rdm in rdms] == [(2, 3)] * 2


@pytest.mark.photographs
@pytest.mark.skipif(not DATA.exists(), reason=f"no descriptions at {DATA}")
def test_people_reach_known_bits_on_the_described_images():
    """4.08 bits for 47 clusters of all, and 2.18 without words that name classes."""
    found = descriptions.read_descriptions(DATA)
    assert (len(found), sum(map(len, found.values()))) == (5369, 24697)
    classes = [name.split("/")[0] for name in found]
    # A sixth of the images, to be quick: the whole is in docs/human.md.
    kept = range(0, len(classes), 6)
    own = [classes[i] for i in kept]
    bits = []
    for without in (set(), descriptions.class_beginnings(classes)):
        rdm = descriptions.rdm([list(found.values())[i] for i in kept], without)
        bits.append(mutual_information(own, ward.cut(ward.ward_tree(rdm), len(set(own)))).bits)
    assert 3.3 < bits[0] < 4.3
    assert 1.2 < bits[1] < 2.4
    assert bits[0] > bits[1] + 1.2
