"""The target `synthesis`: its jobs, its reruns, what it makes, a killed job, and bad input."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from studies import Study, assert_one_line, kill, make_photographs, models, refusal, started

#: Few steps on small photographs by one network of two layers.
SYNTHESIS = {
    "textures": ["grain2/0.png"],
    "size": 32,
    "iterations": 6,
    "series": True,
    "class_images": 2,
    "device": "cpu",
}
OVERLAY = {
    "dataset": {"source": "folder", "path": "photographs"},
    "networks": ["squeezenet1_1"],
    "synthesis": SYNTHESIS,
}
TEXTURE = "grain2-0"


def with_photographs(study, **synthesis):
    make_photographs(study / "photographs")
    study.change(**OVERLAY | {"synthesis": SYNTHESIS | synthesis})
    return study


def builder(**synthesis):
    """How a study of photographs is made, or found made: see `made_once`."""

    def build(folder):
        new = not folder.exists()
        study = Study(folder, OVERLAY | {"synthesis": SYNTHESIS | synthesis}, models(), copy=new)
        if new:
            make_photographs(study / "photographs")
        return study

    return build


@pytest.fixture(scope="module")
def made_study(made_once):
    return made_once("one", builder(), "synthesis")


@pytest.fixture
def made(made_study, tmp_path):
    """A copy of a study with one synthesised photograph, and its series."""
    return made_study.copy(tmp_path / "study")


def jobs_of(number=0, network="squeezenet1_1", layers="all", seed=0):
    """The job that makes the textures of a list, by the place of the list in the config."""
    return {f"synthesize_textures{f'_{number}' if number else ''} {network} {layers} {seed}"}


def scores_of(texture, *networks):
    return {f"score_statistics {texture}"} | {f"score_texture {texture} {network}" for network in networks}


def image_of(texture, maker="squeezenet1_1", layers="all", seed=0):
    return f"results/tiny/synthesis/{texture}/descent/{maker}/{layers}/seed{seed}.png"


def log_of(texture, maker="squeezenet1_1"):
    """The log of the job of a list that begins with this texture."""
    return f"results/tiny/logs/synthesize_textures/{texture}/{maker}/all/seed0.log"


def change_synthesis(study, **keys):
    study.change(synthesis=study.overlay["synthesis"] | keys)


GRID = {"plot_synthesis 0"}
JOINED = {"join_scores", "plot_scores", "plot_traces", "synthesis"} | GRID
SERIES = {"plot_series squeezenet1_1"}


# ---------------------------------------------------------------- plans


def test_every_texture_network_and_seed_is_a_job_of_its_own(fresh):
    names = ["stripes/stripes_0000.png", "dots/dots_0001.png"]
    fresh.change(synthesis={"textures": names, "seeds": [0, 7], "series": ["resnet18"]})
    textures, networks = ["stripes_0000", "dots_0001"], ["alexnet", "resnet18"]
    expected = JOINED | {"plot_series resnet18", "plot_synthesis 7"}
    for number, texture in enumerate(textures):
        expected |= {f"prepare_exemplar {texture}"} | scores_of(texture, *networks)
        expected |= jobs_of(number, "resnet18", "L1")
        for network in networks:
            expected |= jobs_of(number, network) | jobs_of(number, network, seed=7)
    assert fresh.plan("synthesis") == expected
    assert not {job for job in fresh.plan() if "synth" in job or "exemplar" in job}


def test_a_gpu_is_asked_for_unless_the_device_is_the_cpu(fresh):
    image = image_of("stripes_0000", "alexnet")
    assert "gpu=1, device=auto" in fresh.make("--dry-run", image)
    fresh.change(synthesis={"device": "cpu"})
    assert "gpu=0, device=cpu" in fresh.make("--dry-run", image)


def test_the_baseline_and_the_network_of_gatys(fresh):
    fresh.change(networks=["alexnet"], synthesis={"method": "both", "loss": "gatys", "gatys_network": True})
    planned = fresh.plan("synthesis")
    assert {"synthesize_statistics stripes_0000 0", "measure_activations alexnet", "decode_images"} <= planned


def test_a_finished_synthesis_runs_nothing_and_joins_the_report(made):
    assert made.plan("synthesis") == set()
    output = made.make("--dry-run", "report")
    assert "figures/synthesis/scores.png" in output
    made.change(synthesis=made.overlay["synthesis"] | {"checkpoint_every": 3, "device": "auto"})
    assert made.plan("synthesis") == set()


def test_an_added_texture_runs_itself_and_what_is_joined(made):
    change_synthesis(made, textures=["grain2/0.png", "grain1/1.png"])
    new = {"prepare_exemplar grain1-1"} | jobs_of(1) | jobs_of(1, layers="L1")
    assert made.plan("synthesis") == new | scores_of("grain1-1", "squeezenet1_1") | SERIES | JOINED


def test_textures_of_a_list_within_the_list_are_one_job_a_network_seed_and_series(fresh):
    names = ["stripes/stripes_0000.png", "dots/dots_0000.png", "dots/dots_0001.png"]
    fresh.change(synthesis={"textures": [names[0], names[1:]], "seeds": [0, 7], "series": ["resnet18"]})
    planned = {job for job in fresh.plan("synthesis") if job.startswith("synthesize_")}
    runs = {(network, "all", seed) for network in ("alexnet", "resnet18") for seed in (0, 7)}
    assert planned == set().union(
        *(jobs_of(number, *run) for number in (0, 1) for run in runs | {("resnet18", "L1", 0)})
    )
    # One job makes both.
    images = [image_of(texture, "alexnet") for texture in ("dots_0000", "dots_0001")]
    exemplars = {"prepare_exemplar dots_0000", "prepare_exemplar dots_0001"}
    assert fresh.plan(*images) == exemplars | jobs_of(1, "alexnet")


@pytest.fixture(scope="module")
def made_together_study(made_once):
    """One photograph alone, and two in one job."""
    textures = ["grain2/0.png", ["grain1/0.png", "grain3/0.png"]]
    half = 12  # of the photographs' own pixels
    return made_once("together", builder(textures=textures, size=half, series=False), "synthesis")


@pytest.fixture
def made_together(made_together_study, tmp_path):
    return made_together_study.copy(tmp_path / "study")


def test_images_made_together_are_like_those_made_alone(made_together_study):
    assert made_together_study.plan("synthesis") == set()
    folder = made_together_study / "results/tiny/synthesis"
    for texture in ("grain1-0", "grain3-0", TEXTURE):
        png = made_together_study / image_of(texture)
        with Image.open(png) as image:
            told = json.loads(image.info["texalign"])
        assert told["texture"] == texture.replace("-", "/") + ".png"
        trace = pd.read_csv(png.with_suffix(".csv"))
        assert trace["loss"].iloc[-1] < trace["loss"].iloc[0] == told["initial_loss"]
    assert not [*folder.rglob("*.checkpoint")]
    scores = pd.read_csv(folder / "scores.csv").set_index("texture")
    assert (scores["loss"] < scores["initial_loss"]).all()
    assert (scores["crops_loss"] > 0).all()


@pytest.mark.parametrize("added", ["grain2/1.png", ["grain2/1.png", "grain2/2.png"]], ids=str)
def test_a_texture_added_beside_a_list_makes_no_other_image_again(made_together, added):
    """Before the others, so that their lists have other numbers, and behind them."""
    together = made_together.overlay["synthesis"]["textures"]
    for number, textures in ((0, [added, *together]), (2, [*together, added])):
        change_synthesis(made_together, textures=textures)
        expected = jobs_of(number) | JOINED
        for name in [added] if isinstance(added, str) else added:
            texture = name.removesuffix(".png").replace("/", "-")
            expected |= {f"prepare_exemplar {texture}"} | scores_of(texture, "squeezenet1_1")
        assert made_together.plan("synthesis") == expected


def test_a_texture_added_to_a_list_makes_that_list_again(made_together):
    change_synthesis(
        made_together, textures=["grain2/0.png", ["grain1/0.png", "grain3/0.png", "grain2/1.png"]]
    )
    textures = ["grain1-0", "grain3-0", "grain2-1"]
    expected = jobs_of(1) | {"prepare_exemplar grain2-1"} | JOINED
    assert made_together.plan("synthesis") == expected.union(
        *(scores_of(texture, "squeezenet1_1") for texture in textures)
    )


def test_a_failed_list_leaves_no_image_that_passes_for_new(made_together):
    change_synthesis(made_together, loss_options={"slices": 3}, textures=[["grain1/0.png", "grain3/0.png"]])
    assert_one_line(refusal(made_together, "synthesis"), "loss: paper has no option 'slices'")
    assert jobs_of() <= made_together.plan("synthesis")


def test_an_added_seed_makes_no_image_again(made):
    made.change(synthesis=made.overlay["synthesis"] | {"seeds": [0, 1]})
    expected = jobs_of(seed=1) | scores_of(TEXTURE, "squeezenet1_1")
    assert made.plan("synthesis") == expected | {"plot_synthesis 1"} | JOINED - GRID


def test_an_added_network_makes_no_other_image_again(made):
    made.change(synthesis=made.overlay["synthesis"] | {"networks": ["squeezenet1_1", "alexnet"]})
    expected = jobs_of(network="alexnet") | jobs_of(network="alexnet", layers="L1")
    expected |= scores_of(TEXTURE, "squeezenet1_1", "alexnet") | {"plot_series alexnet"}
    assert made.plan("synthesis") == expected | JOINED


# ---------------------------------------------------------------- what is made


def test_images_traces_and_scores(made_study):
    png = made_study / image_of(TEXTURE)
    with Image.open(png) as image:
        assert image.size == (32, 32)
        told = json.loads(image.info["texalign"])
    assert told["texture"] == "grain2/0.png"
    assert (told["method"], told["maker"], told["seed"]) == ("descent", "squeezenet1_1", 0)
    assert list(told["layers"]) == ["L1", "L2"]
    assert told["weights_sha256"] == "untrained, seed 0"
    trace = pd.read_csv(png.with_suffix(".csv"))
    layers = ["L1", "L2", "patches", "colours"]  # the weights are balanced, so that the pixels count too
    assert list(trace.columns) == ["step", "evaluations", "seconds", "loss", *layers, "note"]
    assert {*told["layer_weights"]} == {*layers}
    assert trace["loss"].iloc[-1] < trace["loss"].iloc[0]
    series = pd.read_csv((made_study / image_of(TEXTURE, layers="L1")).with_suffix(".csv"))
    assert "L2" not in series.columns
    (row,) = pd.read_csv(made_study / "results/tiny/synthesis/scores.csv").to_dict("records")
    assert row["loss"] == pytest.approx(told["loss_as_shown"], rel=1e-3)
    assert row["initial_loss"] == told["initial_loss"]
    assert row["halves_loss"] > 0
    assert np.isnan(row["crops_loss"])  # photographs of 24 px, made larger
    assert row["class_loss"] > 0
    assert row["worst_layer"] in layers
    assert row["worst_layer_ratio"] > 0
    assert not list((made_study / "results").rglob("*.checkpoint"))


def test_an_exemplar_is_the_photograph_at_the_asked_size(made_study):
    with Image.open(made_study / f"results/tiny/synthesis/{TEXTURE}/exemplar.png") as image:
        exemplar = np.asarray(image)
    with Image.open(made_study / "photographs/grain2/0.png") as image:
        np.testing.assert_array_equal(exemplar, np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)))


def make_and_kill(study, targets, checkpoints):
    """Kill snakemake and its jobs as soon as the checkpoints are there."""
    with started(study.command("--", *targets), study.folder) as process:
        deadline = time.monotonic() + 100
        while not all(path.exists() for path in checkpoints) and time.monotonic() < deadline:
            time.sleep(0.01)
        kill(process)
    assert all(path.exists() for path in checkpoints)
    study.make("--unlock")


@pytest.mark.runs
def test_a_killed_list_goes_on_with_each_image(made_together):
    change_synthesis(made_together, iterations=120, checkpoint_every=4, history=10)
    pngs = [image_of(texture) for texture in ("grain1-0", "grain3-0")]
    checkpoints = [(made_together / png).with_suffix(".checkpoint") for png in pngs]
    make_and_kill(made_together, pngs, checkpoints)
    made_together.make(*pngs)
    log = made_together / log_of("grain1-0")
    assert log.read_text().count("going on after step") == 2
    for png in pngs:
        trace = pd.read_csv((made_together / png).with_suffix(".csv"))
        assert list(trace["step"]) == list(range(len(trace)))
    assert not any(path.exists() for path in checkpoints)


@pytest.mark.runs
def test_a_killed_job_goes_on_and_ends_with_the_same_image(made, tmp_path):
    made.change(synthesis=SYNTHESIS | {"iterations": 120, "checkpoint_every": 4, "history": 10})
    killed = made.copy(tmp_path / "killed")
    png = image_of(TEXTURE)
    made.make(png)
    (killed / png).unlink()
    checkpoint = (killed / png).with_suffix(".checkpoint")
    make_and_kill(killed, [png], [checkpoint])
    assert not (killed / png).exists()
    killed.make(png)
    assert "going on after step" in (killed / log_of(TEXTURE)).read_text()
    assert not checkpoint.exists()
    ours, theirs = (np.asarray(Image.open(study / png)) for study in (made, killed))
    np.testing.assert_array_equal(ours, theirs)
    traces = [
        pd.read_csv((study / png).with_suffix(".csv")).drop(columns="seconds") for study in (made, killed)
    ]
    pd.testing.assert_frame_equal(*traces)


@pytest.mark.runs
def test_a_checkpoint_of_another_network_is_not_gone_on_with(made):
    change_synthesis(made, iterations=120, checkpoint_every=4, history=10)
    png = image_of(TEXTURE)
    checkpoint = (made / png).with_suffix(".checkpoint")
    make_and_kill(made, [png], [checkpoint])
    left = checkpoint.read_bytes()
    # The same entry with other weights, and another entry at whose place the checkpoint was put.
    made.change_model("squeezenet1_1", seed=1)
    change_synthesis(made, networks=["squeezenet1_1", "alexnet"])
    other = made / image_of(TEXTURE, "alexnet")
    other.parent.mkdir(parents=True)
    other.with_suffix(".checkpoint").write_bytes(left)
    made.make(png, image_of(TEXTURE, "alexnet"))
    for network, words in (("squeezenet1_1", "weights_sha256"), ("alexnet", "architecture")):
        log = (made / log_of(TEXTURE, network)).read_text()
        assert_one_line(log, "seed0.checkpoint: made with other ", words, "; starting anew")
        assert "going on after step" not in log


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"textures": ["grain2/00.png"]}, ["'grain2/00.png' is neither a file nor", "nearest: grain2/0.png"]),
        ({"textures": ["../photographs"]}, ["'../photographs' is neither a file nor in the image set"]),
        ({"textures": ["grain1/.."]}, ["synthesis: textures: 'grain1/..'"]),
        ({"textures": ["???"]}, ["synthesis: textures: '???' has no letter to name a folder by"]),
        ({"textures": []}, ["synthesis: textures: none; name a file"]),
        (
            {"textures": ["grain2/0.png", "other/grain2-0.jpg"]},
            ["'other/grain2-0.jpg' would have the same folder as 'grain2/0.png'; rename the file"],
        ),
        ({"loss": "gram"}, ["synthesis: loss: 'gram' is not one of ['paper', 'gatys', "]),
        ({"networks": ["resnet81"]}, ["synthesis: networks: 'resnet81' is not in", "nearest: resnet18"]),
        ({"series": ["resnet18"]}, ["synthesis: series: 'resnet18' is not among its networks: squeezenet"]),
        ({"seeds": []}, ["synthesis: seeds: [] should be non-empty"]),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value),
)
def test_bad_config(fresh, change, words):
    with_photographs(fresh, **change)
    assert_one_line(refusal(fresh, "--dry-run", "synthesis"), *words)


def test_bad_exemplars_and_layers_are_told_in_one_line_each(made):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    Image.fromarray(pixels).save(made / "tiny.png")
    Image.new("RGB", (32, 32), "red").save(made / "flat.png")
    (made / "words.png").write_text("no image")
    made.change_model("deep", **made.table["squeezenet1_1"] | {"layers": ["features.3", "classifier.3"]})
    made.change(
        networks=["squeezenet1_1", "deep"],
        synthesis=SYNTHESIS
        | {"textures": ["tiny.png", "flat.png", "words.png", "grain1/0.png"], "size": None},
    )
    output = refusal(
        made,
        "--keep-going",
        *(f"results/tiny/synthesis/{texture}/exemplar.png" for texture in ("flat", "words")),
        image_of("tiny", "deep"),
        image_of("grain1-0", "deep"),
    )
    assert_one_line(output, "flat.png: the image is constant, it has no texture; give another")
    assert_one_line(output, "words.png: cannot be decoded", "replace the image, or remove it")
    assert_one_line(output, "all 0 tiny.png: ", "the network cannot take 9x9 px", "use a larger image")
    assert_one_line(
        output, "all 0 grain1/0.png: ", "L2 (classifier.3) has 1 position at 24x24 px", "or drop the layer"
    )


def test_bad_options_are_told_in_one_line(made):
    png = image_of(TEXTURE)
    made.change(synthesis=SYNTHESIS | {"loss_options": {"slices": 3}})
    assert_one_line(refusal(made, png), "loss: paper has no option 'slices'; allowed: layer_weights")
    made.change(synthesis=SYNTHESIS | {"layers": ["L9"], "series": False})
    assert_one_line(
        refusal(made, image_of(TEXTURE, layers="L9")),
        "layers: 'L9' is no layer of this network; allowed: L1, L2",
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_image_that_does_not_say_its_maker_is_not_scored(made, kind):
    """It is not taken for another method's, and refused before any work, by both rules that score."""
    png = image_of(TEXTURE)
    Image.new("RGB", (32, 32), "red").save(made / png, format=kind)
    folder = f"results/tiny/synthesis/{TEXTURE}"
    output = refusal(made, "--keep-going", f"{folder}/scores.csv", f"{folder}/scores/squeezenet1_1.csv")
    for rule in (f"score_statistics {TEXTURE}", f"score_texture {TEXTURE} squeezenet1_1"):
        words = f"texalign: {rule}: {png}: does not say its method and maker; delete it and run again"
        assert words in output.splitlines(), output
