"""What textures are synthesised, and where they lie."""

import os
import re

import pytest
from architectures import ROOT
from hypothesis import given
from hypothesis import strategies as st

from texalign import InputError
from texalign.plan import content, paths, reading, synthesis

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
MODELS = {
    "alexnet": {"architecture": "alexnet", "weights": "untrained", "layers": ["a", "b", "c"], "label": "A"},
    "vgg19": {"architecture": "vgg19", "weights": "IMAGENET1K_V1", "layers": ["a", "b"], "label": "V"},
}


def config(dataset=None, **keys):
    """A study's whole config, of procedural textures and two networks."""
    dataset = dataset or {"source": "procedural", "classes": 3, "per_class": 4}
    given_ = {"study": "s", "networks": ["alexnet", "vgg19"], "dataset": dataset, "synthesis": keys}
    return reading.checked(given_, SCHEMA, "here")


@pytest.fixture
def folder(tmp_path):
    for name in ("wood/oak.jpg", "wood/wood_2.jpg", "sand/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return {"source": "folder", "path": str(tmp_path)}


# ---------------------------------------------------------------- exemplars


@pytest.mark.parametrize(
    ("source", "expected"),
    [("dtd", ["blotchy/blotchy_0102.jpg"]), ("procedural", ["stripes/stripes_0000.png"])],
)
def test_the_default_texture(source, expected):
    assert synthesis.default_textures({"source": source}) == expected
    assert synthesis.lists(config({"source": source})) == [expected]


def test_the_default_texture_of_a_folder_is_its_first(folder):
    assert synthesis.default_textures(folder) == ["sand/1.png"]


def test_textures_and_lists_of_textures():
    assert synthesis.lists(config(textures=["a.png", ["b.png", "c.png"]])) == [["a.png"], ["b.png", "c.png"]]
    assert synthesis.lists(config(textures=[])) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wood/oak.jpg", "wood-oak"),  # of the image set
        ("wood/wood_2.jpg", "wood_2"),  # which says its class itself
        ("else/where/oak.jpg", "oak"),
        ("my pic (1).png", "my-pic-1"),
        ("../_hidden.png", "hidden"),
        ("ß ü.png", "ß-ü"),
    ],
)
def test_a_texture_names_a_folder(folder, name, expected):
    assert synthesis.key(name, folder) == expected


@given(st.text("aZ0_-. /()é", max_size=12))
def test_a_folder_is_what_a_path_may_have(name):
    folder = synthesis.key(name, {"source": "dtd", "path": None})
    assert not folder or re.fullmatch(paths.CONSTRAINTS["texture"], folder)


@pytest.mark.parametrize(
    ("textures", "words"),
    [
        (["a/x.png", ["b/x.png"]], "'b/x.png' would have the same folder as 'a/x.png'"),
        (["...png"], "has no letter to name a folder by"),
    ],
)
def test_textures_that_cannot_be_told_apart_are_refused(textures, words):
    with pytest.raises(InputError, match=words):
        synthesis.keys(config(textures=textures), "here")


def test_a_folder_leads_back_to_its_texture():
    keys = synthesis.keys(config(textures=["b/x.png", ["a/y.png", "a/z.png"]]), "here")
    assert keys == {"x": "b/x.png", "y": "a/y.png", "z": "a/z.png"}
    assert list(keys) == ["x", "y", "z"]
    assert synthesis.name_of("y", keys, "here") == "a/y.png"
    with pytest.raises(InputError, match="here: synthesis: textures: no w; there are: x, y, z"):
        synthesis.name_of("w", keys, "here")


def test_a_name_never_leads_out_of_the_image_set(folder):
    assert synthesis.in_folder("wood/oak.jpg", folder)
    for name in ("../oak.jpg", "wood/..", "./wood", "wood//oak.jpg", "wood/elm.jpg", "oak.jpg"):
        assert not synthesis.in_folder(name, folder)
    assert not synthesis.in_folder("wood/oak.jpg", {"source": "dtd", "path": None})


def test_where_an_exemplar_is_found(folder, tmp_path):
    own = tmp_path / "own.png"
    own.write_bytes(b"")
    dtd, procedural = {"source": "dtd", "path": None}, {"source": "procedural", "path": None}
    assert synthesis.exemplar_file("wood/oak.jpg", folder, "c") == str(tmp_path / "wood/oak.jpg")
    assert synthesis.exemplar_file(str(own), folder, "c") == str(own)
    assert synthesis.exemplar_file("woven/woven_0001.jpg", dtd, "c") == "resources/dtd/images"
    assert synthesis.exemplar_file("dots/dots_0001.png", procedural, "c") is None
    with pytest.raises(InputError, match=r"'wood/oka.jpg' is neither .*; nearest: wood/oak.jpg"):
        synthesis.exemplar_file("wood/oka.jpg", folder, "c")
    for dataset in (dtd, procedural):
        with pytest.raises(InputError, match="give a file, or <class>/<file> of the image set"):
            synthesis.exemplar_file("dots/stripes_0001.png", dataset, "c")


def test_an_exemplar_depends_on_its_content_and_not_on_its_date(folder, tmp_path):
    whole, hashes = config(folder, size=64), content.Hashes(tmp_path / "memory.json")
    first = synthesis.exemplar_recipe("wood/oak.jpg", whole, hashes, "c")
    assert first["size"] == 64
    assert first["dataset"] is None
    os.utime(tmp_path / "wood/oak.jpg", (1, 1))
    assert synthesis.exemplar_recipe("wood/oak.jpg", whole, hashes, "c") == first
    (tmp_path / "wood/oak.jpg").write_bytes(b"other")
    assert synthesis.exemplar_recipe("wood/oak.jpg", whole, hashes, "c") != first
    made = synthesis.exemplar_recipe("dots/dots_0001.png", config(), hashes, "c")
    assert made["dataset"] == {"classes": 3, "per_class": 4, "seed": 0}
    assert made["content"] is None


def test_only_an_image_of_the_set_has_a_class(folder, tmp_path):
    (tmp_path / "own.png").write_bytes(b"")
    own = str(tmp_path / "own.png")
    whole = config(folder)
    assert synthesis.class_dataset("wood/oak.jpg", whole, "hash") == whole["dataset"] | {"listing": "hash"}
    assert synthesis.class_dataset(own, whole, "hash") is None
    assert synthesis.class_dataset("wood/oak.jpg", config(folder, class_images=0), "hash") is None


# ---------------------------------------------------------------- makers, layers


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, [("descent", "alexnet"), ("descent", "vgg19")]),
        ({"networks": ["vgg19"]}, [("descent", "vgg19")]),
        ({"method": "portilla_simoncelli"}, [("statistics", "portilla_simoncelli")]),
        (
            {"method": "both", "networks": ["vgg19"]},
            [("descent", "vgg19"), ("statistics", "portilla_simoncelli")],
        ),
    ],
)
def test_who_makes_images(keys, expected):
    assert synthesis.makers(config(**keys)) == expected


@given(st.none() | st.lists(st.integers(1, 99).map("L{}".format), min_size=1, unique=True))
def test_layers_are_read_back_from_the_path(layers):
    part = synthesis.layers_part(layers)
    assert re.fullmatch(paths.CONSTRAINTS["layers"], part)
    assert synthesis.layers_taken(part) == layers


@pytest.mark.parametrize(
    ("series", "expected"), [(False, []), (True, ["alexnet", "vgg19"]), (["vgg19"], ["vgg19"])]
)
def test_networks_with_a_series(series, expected):
    assert synthesis.series_of(config(series=series), "c") == expected


def test_a_series_of_an_unknown_network_is_refused():
    with pytest.raises(InputError, match="c: synthesis: series: 'alexnet' is not among its networks: vgg19"):
        synthesis.series_of(config(series=["alexnet"], networks=["vgg19"]), "c")


def test_a_series_ends_with_the_image_of_all_layers():
    assert synthesis.series_parts(config(), MODELS, "alexnet") == ["L1", "L1-L2", "all"]
    chosen = config(layers=["L1", "L3"])
    assert synthesis.series_parts(chosen, MODELS, "alexnet") == ["L1", "L1-L3"]


# ---------------------------------------------------------------- recipes


@pytest.mark.parametrize(
    ("readout", "keys", "expected"),
    [
        ("linear", {}, "linear"),
        ("relu", {}, "relu"),
        ("linear", {"loss": "gatys"}, "relu"),
        ("relu", {"loss": "gatys", "readout": "linear"}, "linear"),
    ],
)
def test_what_is_read_for_a_loss(readout, keys, expected):
    whole = config(**keys) | {"readout": readout}
    assert synthesis.loss(whole, ["L1"])["readout"] == expected
    assert synthesis.loss(whole, ["L1"])["layers"] == ["L1"]


def test_what_an_image_depends_on():
    def recipe(seed=0, layers=None, entry=MODELS["vgg19"], **keys):
        return synthesis.recipe(config(**keys), entry, layers, seed)

    same = ("device", "checkpoint_every", "seeds", "class_images", "networks", "textures", "series")
    values = ("cpu", 3, [5], 9, ["vgg19"], ["a.png"], True)
    for key, value in zip(same, values, strict=True):
        assert recipe(**{key: value}) == recipe(), key
    assert recipe(entry=MODELS["vgg19"] | {"label": "other"}) == recipe()
    others = [
        recipe(seed=1),
        recipe(layers=["L1"]),
        recipe(iterations=3),
        recipe(output_size=32),
        recipe(loss="gatys"),
        recipe(loss_options={"x": 1}),
        recipe(entry=MODELS["alexnet"]),
    ]
    assert all(other != recipe() for other in others)


# ---------------------------------------------------------------- targets


def test_every_image_has_its_own_place():
    whole = config(method="both", networks=["vgg19"], seeds=[0, 7], layers=["L1", "L2"])
    assert synthesis.images(whole, ["x", "y"]) == [
        f"results/s/synthesis/{texture}/{maker}/seed{seed}.png"
        for texture in ("x", "y")
        for seed in (0, 7)
        for maker in ("descent/vgg19/L1-L2", "statistics/portilla_simoncelli/all")
    ]
    traces = [path.replace(".png", ".csv") for path in synthesis.images(whole, ["x", "y"])]
    assert synthesis.images(whole, ["x", "y"], "trace") == traces


def test_the_target_has_tables_images_and_figures():
    whole = config(networks=["vgg19"], seeds=[3])
    found = synthesis.targets(whole, ["x"], ["vgg19"], "c")
    figures = [
        f"results/s/figures/synthesis/{name}.png" for name in ("seed3", "scores", "loss", "series/vgg19")
    ]
    assert found == ["results/s/synthesis/scores.csv", *synthesis.images(whole, ["x"]), *figures]
    alone = synthesis.targets(config(method="portilla_simoncelli"), ["x"], [], "c")
    assert not any("loss" in path or "descent" in path for path in alone)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (["networks"], ["loss"]),
        (["generator"], []),
        (["networks", "generator"], ["loss", "time"]),
        (["generator", "dcgan"], ["dcgan"]),
    ],
)
def test_a_figure_is_made_where_there_is_what_it_shows(method, expected):
    found = synthesis.targets(config(method=method), ["x"], [], "c")
    shown = [name for name in ("loss", "time", "dcgan") if f"results/s/figures/synthesis/{name}.png" in found]
    assert shown == expected


def test_without_a_texture_there_is_nothing_to_make():
    with pytest.raises(InputError, match="c: synthesis: textures: none; name a file"):
        synthesis.targets(config(textures=[]), [], [], "c")
