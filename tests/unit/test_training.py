"""How a generator learns: it does, resumes to the same bits, and keeps what held-out noise likes best."""

import json
import math

import numpy as np
import pytest
import torch
from small import blobs, small_network
from torch.nn import functional

from texalign import InputError
from texalign.synthesis import sampling, training
from texalign.synthesis.generator import CALIBRATION, Architecture, Generator, batch_noise, take_statistics
from texalign.synthesis.losses.paper import Paper
from texalign.synthesis.objective import Objective
from texalign.synthesis.training import TRAININGS, Training, train

SMALL = Architecture(scales=2, channels=4)
OPTIONS = {"built": SMALL, "batch": 2, "held_out": 2, "calibration": 4, "check_every": 4}


def test_rates_are_those_of_the_paper_and_of_its_program():
    written, released = TRAININGS["as_written"], TRAININGS["as_released"]
    assert [written.rate(i) for i in (0, 999)] == [0.1, 0.1]
    assert [written.rate(i) for i in (1000, 1199, 1200)] == pytest.approx([0.07, 0.07, 0.049])
    assert (written.batch, written.iterations) == (16, 2000)
    assert [released.rate(i) for i in (299, 300, 600, 1499)] == pytest.approx(
        [0.1, 0.08, 0.064, 0.1 * 0.8**4]
    )
    assert released.normalise_gradients


def test_the_rate_of_settling_is_a_twentieth():
    improved = TRAININGS["as_improved"]
    assert improved.settles_at == 2700
    assert [improved.rate(i) for i in (2699, 2700)] == pytest.approx([0.01 * 0.8**4, 0.01 * 0.8**4 / 20])


@pytest.mark.parametrize(
    ("loss", "normalise"), [(Paper("balanced"), False), ("mean_std", True)], ids=["paper", "mean_std"]
)
def test_the_loss_falls_on_noise_that_was_not_learned_from(loss, normalise):
    made = train(
        small_network(),
        blobs(16),
        loss,
        **OPTIONS,
        iterations=40,
        learning_rate=0.02,
        normalise_gradients=normalise,
    )
    first = made.trace[0]
    assert made.metadata["held_out_loss"] < 0.5 * first["held_out_loss"]
    assert made.metadata["held_out_loss"] == min(row["held_out_loss"] for row in made.trace)
    assert [row["iteration"] for row in made.trace] == list(range(0, 41, 4))
    assert all(row["diversity"] > 0 for row in made.trace)
    layers = [key for key in first if key not in ("iteration", "seconds", "learning_rate", "note")]
    assert layers[:5] == ["loss", "held_out_loss", "diversity", "L1", "L2"]
    assert first["held_out_loss"] == pytest.approx(sum(first[name] for name in layers[3:]))
    json.dumps(made.metadata)
    assert set(made.sheets) == set(range(0, 41, 4))
    assert made.sheets[40].shape == (2, 16, 16, 3)


@pytest.mark.parametrize("killed_at", [5, 8, 10, 11])
def test_a_killed_training_ends_with_the_same_bits(tmp_path, monkeypatch, killed_at):
    options = OPTIONS | {"iterations": 12, "checkpoint_every": 2, "seed": 3, "settle": 0.2}
    undisturbed = train(small_network(), blobs(16), **options)
    step = training.Learner.step

    def die(learner):
        if learner.iteration == killed_at:
            raise KeyboardInterrupt
        return step(learner)

    with monkeypatch.context() as patch:
        patch.setattr(training.Learner, "step", die)
        with pytest.raises(KeyboardInterrupt):
            train(small_network(), blobs(16), path=tmp_path / "c", **options)
    resumed = train(small_network(), blobs(16), path=tmp_path / "c", **options)
    for name, tensor in undisturbed.generator.state_dict().items():
        assert torch.equal(resumed.generator.state_dict()[name], tensor)
    for ours, theirs in zip(resumed.trace, undisturbed.trace, strict=True):
        same = {key for key in ours if key != "seconds" and not (key == "loss" and math.isnan(ours[key]))}
        assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    for number, sheet in undisturbed.sheets.items():
        np.testing.assert_array_equal(resumed.sheets[number], sheet)


def test_another_seed_is_not_gone_on_with(tmp_path, caplog):
    options = OPTIONS | {"iterations": 4, "checkpoint_every": 2, "path": tmp_path / "c"}
    train(small_network(), blobs(16), seed=0, **options)
    train(small_network(), blobs(16), seed=1, **options)
    assert "made with other seed; starting anew" in caplog.text


def test_the_iteration_with_the_lowest_held_out_loss_is_kept(monkeypatch):
    """A rate that ruins what was learned: what is kept comes before."""
    monkeypatch.setattr(Training, "rate", lambda self, iteration: 0.02 if iteration < 12 else 50.0)
    made = train(small_network(), blobs(16), **OPTIONS, iterations=24, patience=2)
    assert made.metadata["iteration"] <= 12
    assert made.trace[-1]["held_out_loss"] > made.metadata["held_out_loss"]
    assert made.metadata["iterations_run"] < 24  # patience


def test_a_loss_that_is_not_finite_ends_the_training(monkeypatch):
    step = training.Learner.step
    monkeypatch.setattr(
        training.Learner, "step", lambda one: step(one) if one.iteration < 5 else step(one) * math.nan
    )
    made = train(small_network(), blobs(16), **OPTIONS, iterations=20)
    assert made.metadata["iterations_run"] == 6
    assert made.trace[-1]["note"] == "loss not finite"


def test_calibration_depends_on_no_batch_and_is_repeatable():
    made = train(small_network(), blobs(16), **OPTIONS, iterations=4).generator
    state = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    take_statistics(made, (16, 16), 4)
    for name, tensor in made.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    noise = batch_noise(SMALL, (16, 16), 3, 0)
    with torch.no_grad():
        assert torch.equal(made(noise), made(noise))


@pytest.mark.parametrize("normalisation", ["batch", "instance"])
def test_calibrated_statistics_are_the_mean_over_samples(normalisation):
    """InstanceNorm2d takes no mean by itself where its momentum is None: it learned nothing then."""
    generator = Generator(Architecture(1, 2, normalisation=normalisation), seed=1)
    take_statistics(generator, (16, 16), 8)
    first, norm = list(generator.inputs[0])[:2]
    noise = batch_noise(generator.architecture, (16, 16), 8, 0, CALIBRATION)[0]
    with torch.no_grad():
        maps = first(functional.pad(noise, (1, 1, 1, 1), mode="circular"))
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    parts = maps.split(4) if normalisation == "batch" else maps.split(1)
    expected = torch.stack([part.var((0, 2, 3)) for part in parts]).mean(0)
    torch.testing.assert_close(norm.running_var, expected, rtol=1e-4, atol=1e-5)
    assert [norm.momentum, norm.training] == [0.1, False]


def test_the_statistics_of_the_normalisation_settle():
    """What is learned at last is learned with the statistics that samples are made with."""
    built = Architecture(2, 4, normalisation="instance", slope=0.01)
    options = OPTIONS | {"built": built, "iterations": 40, "learning_rate": 0.02, "settle": 0.25}
    learner = training.Learner(
        Objective(small_network(), [blobs(16)], Paper("balanced")),
        built,
        Training(**{name: value for name, value in options.items() if name != "built"}),
    )
    statistics = []
    for _ in range(40):
        learner.step()
        statistics.append(learner.generator.inputs[0][1].running_mean.clone())
    assert not torch.equal(statistics[28], statistics[29])
    assert all(torch.equal(statistics[30], later) for later in statistics[31:])
    learner.look(0.0)
    assert torch.equal(learner.generator.inputs[0][1].running_mean, statistics[-1])


def test_a_style_is_learned_with_contents():
    contents = [blobs(16, seed=5), blobs(16, seed=6)]
    architecture = Architecture(2, 4, content=True)
    options = OPTIONS | {"built": architecture, "iterations": 30, "learning_rate": 0.02}
    made = train(
        small_network(), blobs(16), Paper("balanced"), contents=contents, content_weight=5.0, **options
    )
    assert made.trace[-1]["content"] < made.trace[0]["content"]
    ours = [sampling.sample(made.generator, 0, (16, 16), content=one) for one in contents]
    assert np.abs(ours[0].astype(float) - ours[1]).mean() > 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"setting": "as_dreamed"},
            "setting: 'as_dreamed' is unknown; allowed: as_written, as_released, as_improved",
        ),
        ({"batch": 0}, "batch: 0 given; at least 1 is needed"),
        ({"learning_rate": 0.0}, "learning_rate: 0.0 given; a number above 0"),
        (
            {"size": 2, "built": Architecture(2, 4, normalisation="instance")},
            "2x2 px are a single pixel at the coarsest of 2 scales",
        ),
        ({"size": 15}, "15x15 px cannot be halved 1 times; use sides that are multiples of 2"),
        ({"contents": [blobs(16)]}, "it takes no content images"),
        ({"built": Architecture(2, 4, content=True)}, "content images are needed"),
    ],
)
def test_bad_input_is_told_in_one_line(options, words):
    with pytest.raises(InputError, match=words):
        train(small_network(), blobs(16), **OPTIONS | {"iterations": 1} | options)
