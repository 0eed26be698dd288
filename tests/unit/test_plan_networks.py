"""What the rows of the model table mean for the plan."""

import pytest

from texalign import InputError
from texalign.plan import labels, networks

ENTRY = {"architecture": "resnet18", "weights": "IMAGENET1K_V1", "layers": ["bn1", "layer1"], "label": "R"}
TABLE = {
    "resnet18": ENTRY,
    "plain": ENTRY | {"weights": "untrained"},
    "mine": ENTRY | {"weights": "weights/mine.pth"},
}


def config(**keys):
    return {"networks": ["resnet18"], "controls": []} | keys


def test_layers_are_counted_from_one():
    assert networks.layers(ENTRY) == ["L1", "L2"]


def test_numbers_depend_on_neither_label_nor_family():
    shown = ENTRY | {"label": "Another", "family": "ResNet", "year": 2015}
    assert networks.recipe(shown) == networks.recipe(ENTRY)
    assert "program" not in networks.recipe(ENTRY)
    for key in ("architecture", "layers", "options", "preprocess", "seed", "sha256", "weights"):
        assert networks.recipe(ENTRY | {key: "other"}) != networks.recipe(ENTRY)


def test_a_program_of_ones_own_is_part_of_the_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = networks.recipe(ENTRY | {"architecture": "module_that_is_not_there:net"})
    assert recipe["program"] == "absent"


def test_what_is_fetched_depends_on_neither_layers_nor_seed():
    assert networks.published(ENTRY | {"layers": [], "seed": 3}) == networks.published(ENTRY)
    assert networks.published(ENTRY | {"sha256": "0"}) != networks.published(ENTRY)


@pytest.mark.parametrize(
    ("label", "weights", "shown"),
    [
        ("ResNet", "IMAGENET1K_V1", "ResNet"),
        ("ResNet", "untrained", "ResNet (untrained)"),
        ("Untrained ResNet", "untrained", "Untrained ResNet"),
    ],
)
def test_an_untrained_network_says_so(label, weights, shown):
    assert labels.label({"label": label, "weights": weights}) == shown


def test_names_are_those_of_the_asked_networks():
    table = {"a": {"label": "A", "family": "f", "weights": "w", "layers": []}, "b": {}}
    assert networks.names(table, ["a"]) == {"a": {"label": "A", "family": "f", "weights": "w"}}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"networks": ["resnet81"]}, r"c: networks: 'resnet81' is not in t; nearest: resnet18"),
        ({"controls": ["zzz"]}, r"c: controls: 'zzz' is not in t; nearest: resnet18, plain, mine"),
        ({"networks": ["mine"]}, r"t: mine: weights: weights/mine.pth: no such file"),
        ({"networks": ["plain"], "controls": ["plain"]}, r"c: plain is in networks and in controls"),
    ],
)
def test_a_wrong_network_is_told(keys, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        networks.check(TABLE, config(**keys), "t", "c")


@pytest.mark.parametrize("weights", ["Untrained", "UNTRAINED"])
def test_untrained_is_written_in_small_letters(weights):
    with pytest.raises(InputError, match=f"t: n: weights: '{weights}' is unknown; write untrained"):
        networks.check({"n": ENTRY | {"weights": weights}}, config(), "t", "c")


def test_a_file_of_weights_that_is_there_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/mine.pth").write_bytes(b"")
    networks.check(TABLE, config(networks=["mine", "resnet18"], controls=["plain"]), "t", "c")


def test_every_network_of_the_study_untrained_is_a_control():
    models = {
        "a": {"architecture": "a", "weights": "x.pth", "sha256": "0" * 64, "label": "A", "family": "f"},
        "b": {"architecture": "b", "weights": "untrained", "label": "B"},
        "c": {"architecture": "c", "weights": "IMAGENET1K_V1", "options": {"k": 1}},
        "c_untrained": {"architecture": "mine", "weights": "untrained"},
    }
    config = {"networks": ["c", "a", "b", "gone"], "controls": "untrained_all"}
    found, controls = networks.with_controls(models, config)
    assert controls == ["c_untrained", "a_untrained"]
    assert found["a_untrained"] == {"architecture": "a", "weights": "untrained", "label": "A", "family": "f"}
    assert found["c_untrained"] == models["c_untrained"]
    assert list(found) == sorted(found)
    assert networks.with_controls(models, {"networks": ["a"], "controls": ["b"]}) == (models, ["b"])


@pytest.mark.parametrize(
    ("overlays", "controls", "told"),
    [
        ([{"networks": ["a"]}], ["b", "c"], True),
        ([{"networks": ["a"]}, {"controls": ["b"]}], ["b"], False),
        ([{"networks": ["a"], "controls": []}], [], False),
        ([{"study": "x"}], ["b"], False),
        ([], ["b"], False),
    ],
)
def test_controls_that_nobody_asked_for_are_told(overlays, controls, told):
    said = networks.unasked_controls(overlays, {"controls": controls})
    assert (said is not None) == told
    if told:
        assert said.startswith("b, c is measured too")
        assert "controls: []" in said
