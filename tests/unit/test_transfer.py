"""Style transfer by optimisation, and the content loss."""

import json

import numpy as np
import pytest
import torch
from small import blobs, noise, slopes, small_network

from texalign import InputError, synthesis
from texalign.synthesis import content, transfer
from texalign.synthesis.losses.paper import Paper

OPTIONS = {"iterations": 30, "bounds": False}


def test_content_loss_is_zero_for_the_content_and_one_without_any():
    maps = noise(6)[None].relu()
    assert float(content.content_loss(maps, maps)) == 0
    flat = maps.mean((2, 3), keepdim=True).expand_as(maps)
    assert float(content.content_loss(flat, maps)) == pytest.approx(1)


def test_content_maps_are_of_a_layer_or_of_any_module():
    network, image = small_network(), noise(8, dtype=torch.float32)[None]
    with torch.no_grad():
        expected = network.module[:4](image).relu()
        for layer in ("L2", "3", None):
            torch.testing.assert_close(content.content_maps(network, image, layer), expected)
    with pytest.raises(InputError, match="content_layer: 'relu4_2' is neither a layer nor a module"):
        content.content_maps(network, image, "relu4_2")


def test_gradients_agree_with_finite_differences():
    objective = transfer.StyleObjective(
        small_network(torch.float64), blobs(), blobs(seed=5), content_weight=3.0
    )
    image, direction = noise(), noise(seed=10)
    slope, found = slopes(objective, image, direction)
    assert any(value == pytest.approx(slope, rel=1e-5) for value in found)


def test_more_weight_on_the_content_keeps_more_of_it():
    style, image = blobs(24, seed=1), blobs(32, seed=2)
    loss, left = Paper("balanced"), {}
    for weight in (0.01, 100.0):
        made = transfer.stylise(
            small_network(), style, image, loss, content_weight=weight, start="noise", **OPTIONS
        )
        assert made.image.shape == (3, 32, 32)
        left[weight] = made.trace[-1]["content"] / weight, made.trace[-1]["loss"] - made.trace[-1]["content"]
    assert left[100.0][0] < left[0.01][0]
    assert left[100.0][1] > left[0.01][1]


def test_it_begins_at_the_content_and_tells_what_it_is_made_of():
    made = transfer.stylise(small_network(), blobs(seed=1), blobs(seed=2), Paper("balanced"), **OPTIONS)
    assert made.trace[0]["content"] == pytest.approx(0, abs=1e-6)
    assert made.trace[-1]["loss"] < made.trace[0]["loss"]
    assert list(made.trace[0])[3:] == ["loss", "L1", "L2", "patches", "colours", "content", "note"]
    assert made.metadata["method"] == "transfer"
    assert {"content_sha256", "content_weight", "layer_weights"} <= made.metadata.keys()
    json.dumps(made.metadata)


def test_with_balanced_weights_it_begins_from_coarse_to_fine():
    """At a quarter and at half of the size, with the content made smaller too."""
    style, image = blobs(136, seed=1), blobs(128, seed=2)
    options = OPTIONS | {"iterations": 4, "content_weight": 0.1}
    made = transfer.stylise(small_network(), style, image, Paper("balanced"), **options)
    assert made.trace[0]["note"] == "from 32x32, 64x64 px"
    assert made.metadata["settings"]["start"] == "coarse"
    # It is no longer the content, and already nearer to the style.
    assert made.trace[0]["content"] > 0.01
    plain = transfer.stylise(small_network(), style, image, Paper("paper"), **options)
    assert plain.trace[0]["content"] == pytest.approx(0, abs=1e-6)


def test_a_layer_that_a_small_image_does_not_have_gives_way_to_the_deepest():
    network = small_network()
    for layer, names, expected in ((None, ["L1"], None), ("L2", ["L1"], "3"), ("1", ["L1", "L2"], "1")):
        objective = transfer.StyleObjective(
            network, blobs(32), blobs(32), Paper("balanced"), content_layer=layer
        )
        small = objective.reduced([0], 2, names)
        assert small.content_layer == expected
        assert small.content.shape == (3, 16, 16)
        assert small.names[-1] == "content"
        assert list(small.network.layers) == names
    tiny = transfer.StyleObjective(network, blobs(32), blobs(32), Paper("balanced"), content_layer="L2")
    assert tiny.reduced([0], 16, ["L1"]).content_layer is None  # one position


def test_without_content_it_is_a_texture():
    options = OPTIONS | {"start": "noise", "seed": 3}
    image = np.asarray(blobs(seed=2))
    alone = synthesis.synthesize(small_network(), blobs(seed=1), **options)
    made = transfer.stylise(small_network(), blobs(seed=1), image, content_weight=0.0, **options)
    torch.testing.assert_close(made.image, alone.image, atol=1e-3, rtol=0)
