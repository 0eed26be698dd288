"""References and baselines: where they lie, what they depend on, what they may be called."""

import re

import pytest
from architectures import ROOT

from texalign import InputError
from texalign.plan import networks, paths, people, reading

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def config(**references):
    return reading.checked({"human": {"references": references}}, SCHEMA, "here")


MINE = {"kind": "rdm", "path": "mine.csv"}


def test_references_have_their_defaults_and_their_layers():
    found = config(words={"kind": "descriptions"}, mine=MINE, odd={"kind": "triplets", "path": "odd.csv"})
    people.check(found, {}, "here")
    assert people.with_rdms(found) == ["mine", "words"]
    entries = people.entries(found, lambda path: f"hash of {path}")
    layers = {name: len(networks.layers(entry)) for name, entry in entries.items()}
    assert [layers[name] for name in ("mine", "odd", "words", "pixels", "classes")] == [1, 0, 2, 1, 0]
    assert people.file_of(found, "words") == people.DESCRIPTIONS
    assert people.file_of(found, "mine") == "mine.csv"
    assert entries["mine"]["label"] == "mine"
    assert all(networks.recipe(entry) for entry in entries.values())


def test_baselines_are_called_by_their_names():
    labels = {name: entry["label"] for name, entry in people.entries(config(), None).items()}
    assert labels["portilla_simoncelli"] == "Portilla-Simoncelli statistics"
    assert labels["pixels"] == "Pixels"


def test_a_reference_depends_on_its_file_and_settings_and_not_on_its_label():
    recipes = [
        networks.recipe(people.entries(config(mine=MINE | changed), lambda path: path)["mine"])
        for changed in ({}, {"label": "Ours"}, {"path": "other.csv"}, {"similarity": True})
    ]
    assert recipes[0] == recipes[1]
    assert recipes[0] not in recipes[2:]


def test_places_are_no_networks():
    found = config(mine=MINE)
    for name in ("mine", "pixels", "classes"):
        place = people.coordinates(found, name)
        assert not re.fullmatch(paths.OF_NETWORKS, place["maps"])
        assert all(re.fullmatch(paths.CONSTRAINTS[axis], value) for axis, value in place.items())
    assert re.fullmatch(paths.OF_NETWORKS, paths.coordinates(found)["maps"])
    assert re.fullmatch(paths.OF_NETWORKS, "relu-dtd-warm0")


@pytest.mark.parametrize(
    ("references", "words"),
    [
        ({"vgg19": MINE}, "vgg19: is the name of a network or a baseline; use another"),
        ({"pixels": MINE}, "pixels: is the name of a network or a baseline; use another"),
        ({"classes": MINE}, "classes: is the name of a network or a baseline; use another"),
        ({"mine": {"kind": "rdm"}}, "mine: path: missing; kind rdm needs a file"),
    ],
)
def test_what_cannot_be_is_refused(references, words):
    with pytest.raises(InputError, match=f"here: human: references: {words}"):
        people.check(config(**references), {"vgg19": {}}, "here")
    with pytest.raises(InputError, match="here: models: classes is the name of the classes' own RDM"):
        people.check(config(mine=MINE), {"classes": {}}, "here")
