"""Scores of synthetic textures: losses by any network, and the certificate."""

import math

import numpy as np
import pytest
from small import blobs, small_network

from texalign import synthesis
from texalign.synthesis import scores


@pytest.fixture(scope="module")
def network():
    return small_network()


def test_losses_are_those_of_evaluate(network):
    exemplar, images = blobs(seed=0), [blobs(seed=1), blobs(20, 24, seed=2), blobs(seed=0)]
    values = scores.losses_of(network, exemplar, images, "paper", layers=["L2"])
    for value, image in zip(values, images, strict=True):
        expected = synthesis.evaluate(network, image, exemplar, layers=["L2"])
        assert value == pytest.approx(expected, abs=1e-9)
    assert values[2]["loss"] < 1e-9 < values[0]["loss"]


def test_an_image_that_is_too_small_has_no_loss(network, caplog):
    values = scores.losses_of(network, blobs(seed=0), [blobs(seed=1), blobs(seed=1)[:3, :3]])
    assert math.isfinite(values[0]["loss"])
    assert math.isnan(values[1]["loss"])
    assert scores.mean(values) == values[0]
    assert scores.mean(values[1:]) == {}
    assert "use a larger image" in caplog.text


@pytest.mark.parametrize("shape", [(16, 16), (9, 7)])
def test_halves_are_of_one_size_and_share_no_pixel(shape):
    image = np.arange(math.prod(shape)).reshape(*shape, 1)
    for one, other in scores.halves(image):
        assert one.shape == other.shape
        assert not set(one.ravel()) & set(other.ravel())


def test_losses_between_halves(network):
    exemplar = blobs(seed=0)
    found = scores.between(network, scores.halves(exemplar))
    pairs = [(exemplar[:, :8], exemplar[:, 8:]), (exemplar[:8], exemplar[8:])]
    expected = [synthesis.evaluate(network, other, one) for one, other in pairs]
    assert found == pytest.approx({key: np.mean([row[key] for row in expected]) for key in expected[0]})


@pytest.mark.parametrize("shape", [(32, 16), (17, 32), (50, 70)])
def test_crops_are_of_the_asked_size_and_share_no_pixel(shape):
    photograph = np.arange(math.prod(shape)).reshape(*shape, 1)
    pairs = scores.crops(photograph, (16, 16))
    assert len(pairs) == 2
    for one, other in pairs:
        assert one.shape == other.shape == (16, 16, 1)
        assert not set(one.ravel()) & set(other.ravel())


@pytest.mark.parametrize("shape", [(16, 16), (31, 31), (15, 64)])
def test_a_photograph_without_room_has_no_crops(network, shape):
    assert scores.crops(np.zeros((*shape, 3), np.uint8), (16, 16)) == []
    assert scores.between(network, []) == {}


def test_losses_between_crops_are_those_of_a_photograph(network):
    photograph = blobs(48, 40, seed=3)
    found = scores.between(network, scores.crops(photograph, (16, 20)))
    one = synthesis.evaluate(network, photograph[-16:, -20:], photograph[:16, :20])
    other = synthesis.evaluate(network, photograph[:16, -20:], photograph[-16:, :20])
    assert found["loss"] == pytest.approx((one["loss"] + other["loss"]) / 2)


def test_the_worst_layer_is_found_behind_a_large_one():
    losses, halves = {"loss": 107.0, "L1": 100.0, "L2": 6.0, "L3": 1.0}, {"L1": 1e4, "L2": 3.0, "L3": 1.0}
    assert scores.worst_layer(losses, halves) == ("L2", 2.0)
    layer, ratio = scores.worst_layer(losses, {})
    assert layer is None
    assert math.isnan(ratio)


def test_halves_of_a_half_constant_exemplar(network, caplog):
    exemplar = blobs(seed=0).copy()
    exemplar[:8] = 7
    assert math.isfinite(scores.between(network, scores.halves(exemplar))["loss"])
    assert "constant" in caplog.text
