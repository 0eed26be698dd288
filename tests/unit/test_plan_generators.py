"""Generators, style transfer, blends and packs: what they consist of, and what cannot be."""

import pytest
from test_plan_synthesis import MODELS, config

from texalign import InputError
from texalign.plan import content, generators, synthesis

TEXTURES = {"stripes_0000": "stripes/stripes_0000.png", "dots_0001": "dots/dots_0001.png"}
#: A file that is there.
FILE = __file__


def of(**keys):
    return config(textures=list(TEXTURES.values()), **keys)


def test_a_generator_has_a_place_by_method_and_maker():
    chosen = of(method=["generator", "dcgan"], networks=["alexnet"], layers=["L1"])
    ours = "results/s/synthesis/dots_0001"
    assert generators.trained(chosen, TEXTURES)[2:] == [
        f"{ours}/generator/alexnet/L1/trained0.safetensors",
        f"{ours}/dcgan/dcgan/all/trained0.safetensors",
    ]
    assert generators.trainings(chosen, TEXTURES)["dcgan"][1] == f"{ours}/dcgan/dcgan/all/trained0.csv"
    assert generators.sampled(chosen, TEXTURES)[3] == f"{ours}/dcgan/dcgan/all/samples.zip"
    assert generators.stimuli(chosen, TEXTURES)["images"] == []
    assert generators.samples(of(seeds=[0, 1, 2])) == 3
    assert generators.samples(of(stimuli={"samples": 20})) == 20


def test_a_published_generator_is_one_more_maker_of_its_texture():
    chosen = of(networks=["alexnet"], generator={"published": {"dots_0001": FILE}})
    place = "results/s/synthesis/dots_0001/generator/published/all"
    assert generators.trained(chosen, TEXTURES) == [f"{place}/trained0.safetensors"]
    assert generators.trainings(chosen, TEXTURES) == {"generator": [], "dcgan": []}
    assert f"{place}/seed0.png" in synthesis.images(chosen, TEXTURES)
    rows, cells = synthesis.grid(chosen, TEXTURES)
    assert rows == [("descent", "alexnet"), ("generator", "published")]
    assert cells == [[0, 1], [None, 2]]
    assert generators.published_file("dots_0001", chosen, "c") == FILE
    with pytest.raises(InputError, match="published: no stripes_0000; there are: dots_0001"):
        generators.published_file("stripes_0000", chosen, "c")


def test_what_a_generator_depends_on():
    chosen = of(generator={"iterations": 7, "noise": 2, "seed": 3}, stimuli={"samples": 9}, seeds=[4])
    told = generators.recipe(chosen, MODELS["alexnet"], None)
    assert told == generators.recipe(of(generator={"iterations": 7}), MODELS["alexnet"], None)
    assert told != generators.recipe(of(), MODELS["alexnet"], None)


def test_contents_and_the_pool_that_a_style_learns_from(tmp_path):
    files = []
    for name in ("bird.jpg", "cat.jpg"):
        (tmp_path / name).write_bytes(name.encode())
        files.append(str(tmp_path / name))
    chosen = of(transfer={"contents": files[:1], "pool": files[1:], "method": ["networks", "generator"]})
    known = generators.contents(chosen, "c")
    assert known == {"bird": files[0], "cat": files[1]}
    assert generators.of_key(chosen, known, "contents") == ["bird"]
    assert generators.of_key(chosen, known, "pool") == ["cat"]
    assert generators.of_key(of(transfer={"contents": files}), known, "pool") == ["bird", "cat"]
    paths = generators.stylised(chosen, ["dots_0001"], ["bird"], 0)
    assert paths[0] == "results/s/synthesis/dots_0001/transfer/alexnet/all/bird/seed0.png"
    assert [path.split("/")[4] for path in paths] == ["transfer"] * 2 + ["style"] * 2
    recipe = generators.content_recipe(files[0], chosen, content.Hashes(tmp_path / "hashes"))
    assert recipe["content"] is not None
    weighted = of(transfer={"weight": 2})
    for told in (
        generators.style_recipe(weighted, MODELS["alexnet"], None)["training"],
        generators.transfer_recipe(weighted, MODELS["alexnet"], None, 0)["content"],
    ):
        assert told["content_weight"] == 2


def test_blends_have_their_ends():
    blends = {"a": {"from": "noise", "to": "dots_0001"}, "b": {"from": "stripes_0000", "to": "dots_0001"}}
    chosen = of(blends=blends, networks=["alexnet"])
    assert generators.blend_of(chosen, "a", "c") == {**blends["a"], "steps": 5, "by": "all"}
    assert generators.blend_ends(blends["a"]) == ["dots_0001"]
    assert generators.blend_ends(blends["b"]) == ["stripes_0000", "dots_0001"]
    assert generators.blended(chosen)[0] == "results/s/blends/a/alexnet/all/seed0.png"
    with pytest.raises(InputError, match="c: synthesis: blends: no z; there are: a, b"):
        generators.blend_of(chosen, "z", "c")


@pytest.mark.parametrize(
    ("ask", "keys", "words"),
    [
        (
            generators.check,
            {"generator": {"published": {"x": FILE}}},
            "'x' is the folder of no texture; there",
        ),
        (
            generators.check_blends,
            {"blends": {"m": {"from": "x", "to": "y"}}},
            "m: from: 'x' is the folder of no",
        ),
        (
            generators.check_blends,
            {"blends": {"m": {"from": "noise", "to": "noise"}}},
            "m: to: 'noise' is the",
        ),
    ],
)
def test_what_cannot_be_is_refused(ask, keys, words):
    with pytest.raises(InputError, match=words):
        ask(of(**keys), TEXTURES, "c")


def test_files_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"c: synthesis: transfer: pool: 'no\.png': no such file"):
        generators.contents(of(transfer={"pool": ["no.png"]}), "c")
    (tmp_path / "a").mkdir()
    files = [str(tmp_path / "x.png"), str(tmp_path / "a/x.png")]
    for file in files:
        open(file, "w").close()
    with pytest.raises(InputError, match="would be called 'x' as another; rename the file"):
        generators.contents(of(transfer={"contents": files}), "c")
    with pytest.raises(InputError, match=r"published: dots_0001: no\.t7: no such file"):
        generators.published_file("dots_0001", of(generator={"published": {"dots_0001": "no.t7"}}), "c")
    with pytest.raises(InputError, match="method: 'networks' trains no generator, which samples needs"):
        generators.asked(of(), TEXTURES, "c", "samples")


def test_classes_are_those_of_the_image_set():
    assert generators.classes(of(), {"x": FILE, "dots_0001": "dots/dots_0001.png"}) == {
        "x": "",
        "dots_0001": "dots",
    }
