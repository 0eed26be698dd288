"""The targets of generators, style transfer, blends and stimuli: jobs, what they make, bad input."""

import csv
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from studies import Study, assert_one_line, jobs, make_photographs, models, refusal

from texalign.synthesis import generator_file

#: As few steps as there can be, on small photographs by one network of two layers.
SYNTHESIS = {
    "textures": ["grain1/0.png", "grain2/0.png"],
    "method": ["networks", "generator", "dcgan"],
    "size": 64,
    "output_size": 64,
    "iterations": 2,
    "class_images": 1,
    "device": "cpu",
    "generator": {"iterations": 2, "batch": 2, "scales": 2, "check_every": 1},
    "dcgan": {"iterations": 2, "batch": 2, "channels": 2, "noise": 2},
    "transfer": {"contents": ["photographs/grain3/1.png"], "method": ["networks", "generator"]},
    "blends": {"mine": {"from": "grain1-0", "to": "grain2-0", "steps": 2}},
    "stimuli": {"samples": 2, "luminance": True, "contrast": True, "scrambled": 1},
}
OVERLAY = {
    "dataset": {"source": "folder", "path": "photographs"},
    "networks": ["squeezenet1_1"],
    "synthesis": SYNTHESIS,
}
TEXTURES = ("grain1-0", "grain2-0")


@pytest.fixture
def planned(fresh):
    make_photographs(fresh / "photographs")
    fresh.change(**OVERLAY)
    return fresh


def change_synthesis(study, **keys):
    study.change(synthesis=study.overlay["synthesis"] | keys)


def of_each(*jobs):
    return {job.format(texture) for texture in TEXTURES for job in jobs}


TRAINED = of_each("prepare_exemplar {}", "train_generator {} squeezenet1_1 all 0", "train_dcgan {} 0")


# ---------------------------------------------------------------- plans


def test_each_target_has_its_jobs(planned):
    found = planned.plan("generators", "samples", "transfer", "blends", "stimuli")
    sampled = of_each("sample_stimuli {} generator squeezenet1_1 all", "sample_stimuli {} dcgan dcgan all")
    stylised = of_each(
        "stylise_image {} squeezenet1_1 all 1 0",
        "train_style {} squeezenet1_1 all 0",
        "sample_style {} squeezenet1_1 all 1 0",
    )
    assert found == TRAINED | sampled | stylised | {
        *("prepare_content 1", "plot_transfer 0", "blend_textures mine squeezenet1_1 all 0", "pack_stimuli"),
        *("synthesize_textures squeezenet1_1 all 0", "synthesize_textures_1 squeezenet1_1 all 0"),
        *("generators", "samples", "transfer", "blends", "stimuli"),
    }


def test_published_generators_are_converted_and_noise_needs_no_exemplar(planned):
    (planned / "g.t7").write_bytes(b"")
    change_synthesis(
        planned,
        method="networks",
        generator={"published": {"grain1-0": "g.t7"}},
        transfer={"contents": ["photographs/grain3/1.png"], "published": {"grain2-0": "g.t7"}},
        blends={"other": {"from": "noise", "to": "grain1-0", "by": "layer"}},
    )
    output = planned.make("--dry-run", "synthesis", "transfer", "blends")
    assert not {"plot_times", "plot_rivals"} & jobs(output)  # what others trained left no trace
    assert "InputFunctionException" not in output  # no rule is asked for a network that is none
    found = jobs(output)
    assert {"convert_generator grain1-0 0", "sample_generator grain1-0 generator published all 0"} <= found
    assert {"convert_style grain2-0 0", "sample_style grain2-0 published all 1 0"} <= found
    assert {"blend_textures other squeezenet1_1 all 0", "plot_synthesis 0", "join_scores"} <= found
    assert not {job for job in found if job.startswith("train_")}


def test_a_target_that_has_nothing_to_make_is_told_in_one_line(planned):
    change_synthesis(planned, method="networks", transfer={})
    for target, words in (
        ("samples", "method: 'networks' trains no generator, which samples needs"),
        ("transfer", "transfer: contents: none; name an image"),
    ):
        assert_one_line(refusal(planned, "--dry-run", target), words)


# ---------------------------------------------------------------- what is made


@pytest.mark.runs
def test_all_is_made_and_nothing_again(tmp_path):
    study = Study(tmp_path, OVERLAY, models())
    make_photographs(study / "photographs")
    targets = ("generators", "samples", "synthesis", "transfer", "blends", "stimuli")
    study.make(*targets)
    assert study.plan(*targets) == set()
    results = study / "results/tiny"
    folder = results / "synthesis/grain1-0"
    for figure in ("time", "dcgan"):
        with Image.open(results / f"figures/synthesis/{figure}.png") as image:
            assert min(image.size) > 100

    generator, about = generator_file.load(folder / "generator/squeezenet1_1/all/trained0.safetensors")
    assert generator.architecture.scales == 2
    assert (about["method"], about["maker"], about["texture"]) == (
        "generator",
        "squeezenet1_1",
        "grain1/0.png",
    )
    trace = pd.read_csv(folder / "generator/squeezenet1_1/all/trained0.csv")
    assert list(trace["iteration"]) == [0, 1, 2]
    for png in ("generator/squeezenet1_1", "dcgan/dcgan", "descent/squeezenet1_1"):
        with Image.open(folder / png / "all/seed0.png") as image:
            assert image.size == (64, 64)
            assert json.loads(image.info["texalign"])["method"] == png.partition("/")[0]
    scores = pd.read_csv(results / "synthesis/scores.csv")
    assert set(scores["method"]) == {"descent", "generator", "dcgan"}
    assert list(scores.columns)[-4:] == ["method", "diversity", "nearest_patch", "copied_patch"]

    for method in ("transfer", "style"):
        with Image.open(folder / method / "squeezenet1_1/all/1/seed0.png") as image:
            told = json.loads(image.info["texalign"])
        assert (told["method"], told["content"]) == (method, "1")

    with zipfile.ZipFile(results / "blends/mine/squeezenet1_1/all/seed0.zip") as archive:
        steps = list(csv.DictReader(io.TextIOWrapper(archive.open("steps.csv"))))
        assert [step["at_L1"] for step in steps] == ["0.0", "1.0"]
        assert {step["file"] for step in steps} <= set(archive.namelist())

    with zipfile.ZipFile(results / "stimuli.zip") as archive:
        stimuli = pd.read_csv(archive.open("stimuli.csv"))
        trials = pd.read_csv(archive.open("trials.csv"))
        images = [np.asarray(Image.open(archive.open(file))) for file in stimuli["file"]]
    # Of each texture: the photograph, its noise, one optimised, two of each generator.
    assert len(stimuli) == 2 * (1 + 1 + 1 + 2 + 2)
    assert {image.shape for image in images} == {(64, 64, 3)}
    assert set(stimuli["texture_class"]) == {"grain1", "grain2"}
    assert stimuli["mean_luminance"].std() < 0.05 * stimuli["mean_luminance"].mean()
    assert set(trials["image_1"]) <= set(stimuli["file"])
