"""Synthesis of one image: what it promises, writes and refuses."""

import json

import numpy as np
import pytest
import torch
from small import blobs, small_network

from texalign import InputError, synthesis
from texalign.fast.precision import computing_in
from texalign.synthesis import matching
from texalign.synthesis.losses.paper import Paper
from texalign.synthesis.losses.shifted_gram import ShiftedGram


def test_trace_and_metadata_say_what_happened():
    result = synthesis.synthesize(small_network(), blobs(), seed=3, iterations=20)
    first, last = result.trace[0], result.trace[-1]
    assert list(first) == ["step", "evaluations", "seconds", "loss", "L1", "L2", "note"]
    assert (first["step"], first["evaluations"], last["step"]) == (0, 1, 20)
    assert all(row["loss"] == pytest.approx(row["L1"] + row["L2"]) for row in result.trace)
    assert all(a["loss"] > b["loss"] for a, b in zip(result.trace, result.trace[1:], strict=False))
    assert result.metadata["seed"] == 3
    assert result.metadata["loss"] == last["loss"]
    # Nothing is evaluated twice: L-BFGS asks again for each point at which a step begins.
    assert last["evaluations"] < 20 * 1.5
    json.dumps(result.metadata)


def test_what_is_shown_has_the_loss_it_says():
    result = synthesis.synthesize(small_network(), blobs(), iterations=10)
    shown = synthesis.evaluate(small_network(), result.image.mul(255).round() / 255, blobs())
    assert shown["loss"] == pytest.approx(result.metadata["loss_as_shown"], rel=1e-5)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_same_seed_same_bits_other_seed_other_image(optimizer):
    options = {"iterations": 12, "optimizer": optimizer}
    one, same, other = (
        synthesis.synthesize(small_network(), blobs(), seed=seed, **options).image for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.1)


def test_initial_image_has_the_asked_noise():
    result = synthesis.synthesize(
        small_network(), blobs(), size=64, iterations=0, noise_mean=0.5, noise_std=0.2, bounds=False
    )
    normalised = synthesis.Objective(small_network(), [blobs()]).normalise(result.image)
    assert normalised.mean() == pytest.approx(0.5, abs=0.01)
    assert normalised.std() == pytest.approx(0.2, abs=0.01)


def test_bf16_lowers_the_loss_that_float32_sees():
    with computing_in(small_network(), "bf16") as low:
        result = synthesis.synthesize(low, blobs(), iterations=30)
    start = synthesis.synthesize(small_network(), blobs(), iterations=0).metadata["initial_loss"]
    assert result.metadata["precision"] == "bf16"
    assert synthesis.evaluate(small_network(), result.image, blobs())["loss"] < 0.1 * start


def test_adam_lowers_the_loss():
    result = synthesis.synthesize(small_network(), blobs(), optimizer="adam", iterations=200)
    assert result.metadata["loss"] < 0.01 * result.metadata["initial_loss"]
    assert result.metadata["evaluations"] == 201


@pytest.mark.parametrize("size", [24, (12, 20)])
def test_output_has_any_size(size):
    result = synthesis.synthesize(small_network(), blobs(), size=size, iterations=60)
    assert result.image.shape[1:] == torch.Size(matching._pair(size))
    assert result.metadata["loss"] < 1e-2 * result.metadata["initial_loss"]


def test_bounds_keep_the_loss_of_what_is_shown():
    options = {"iterations": 150, "seed": 1}
    free = synthesis.synthesize(small_network(), blobs(), bounds=False, **options).metadata
    bounded = synthesis.synthesize(small_network(), blobs(), **options).metadata
    assert bounded["loss"] < 1e-2 * bounded["initial_loss"]
    assert bounded["loss_as_shown"] < free["loss_as_shown"]


def test_cumulative_layers_are_the_rows_of_a_series():
    series = synthesis.cumulative(small_network())
    assert {name: list(network.layers) for name, network in series.items()} == {
        "L1": ["L1"],
        "L2": ["L1", "L2"],
    }


def test_trace_is_a_table(tmp_path):
    result = synthesis.synthesize(small_network(), blobs(), iterations=2)
    matching.save_trace(tmp_path / "trace.csv", result.trace)
    lines = (tmp_path / "trace.csv").read_text().splitlines()
    assert lines[0] == "step,evaluations,seconds,loss,L1,L2,note"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exemplar": np.full((16, 16, 3), 7, np.uint8)}, "the image is constant"),
        ({"exemplar": np.zeros((16, 16), np.uint8)}, r"give uint8 \(H, W, 3\)"),
        ({"exemplar": np.arange(12, dtype=np.uint8).reshape(2, 2, 3)}, r"L2 \(3\) has 1 position at 2x2 px"),
        ({"exemplar": np.arange(3, dtype=np.uint8).reshape(1, 1, 3)}, "constant"),
        ({"size": (1, 1)}, "the network cannot take 1x1 px .* use a larger image"),
        ({"layers": ["L9"]}, "layers: 'L9' is no layer of this network; allowed: L1, L2"),
        ({"loss": "gram"}, "loss: 'gram' is unknown"),
        ({"loss": Paper({"L3": 1.0})}, "layer_weights: 'L3' is no layer"),
        ({"loss": Paper({"L1": 0.0, "L2": 0})}, "layer_weights: no layer has a weight above 0"),
        ({"learning_rate": float("nan")}, "learning_rate: nan given; a finite number above 0 is needed"),
        ({"learning_rate": 0.0}, "learning_rate: 0.0 given; a finite number above 0 is needed"),
        ({"noise_std": float("inf")}, "noise_std: inf given; a finite number above 0 is needed"),
        ({"loss": ShiftedGram(), "size": 6}, "make the image larger"),
        ({"readout": "raw"}, "readout: 'raw' is not allowed"),
        ({"optimizer": "sgd"}, "optimizer: 'sgd' is unknown; allowed: lbfgs, adam"),
        ({"history": 0}, "history: 0 given"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, message):
    arguments = {"exemplar": blobs(), "iterations": 1} | arguments
    with pytest.raises(InputError, match=message) as caught:
        synthesis.synthesize(small_network(), **arguments)
    assert "\n" not in str(caught.value)
