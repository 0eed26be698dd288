"""Scores of synthetic textures: losses by any network, the certificate, Portilla-Simoncelli statistics."""

import math

import numpy as np
import pytest
import torch
from small import blobs, small_network

from texalign import InputError, portilla_simoncelli, scores, synthesis


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


# ---------------------------------------------------------------- Portilla and Simoncelli


def test_without_plenoptic_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(portilla_simoncelli, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"pip install -r envs/plenoptic.txt"):
        portilla_simoncelli.distances(blobs(32, 32, seed=0), [])


def test_grey_is_cut_to_what_the_scales_divide():
    assert portilla_simoncelli.grey(blobs(120, 132, seed=0)).shape == (1, 1, 112, 128)
    white = portilla_simoncelli.grey(np.full((32, 32, 3), 255, np.uint8))
    torch.testing.assert_close(white, torch.ones(1, 1, 32, 32, dtype=torch.float64))
    with pytest.raises(InputError, match="12x20 px is too small; at least 14"):
        portilla_simoncelli.grey(blobs(12, 20, seed=0))


@pytest.mark.filterwarnings("default")  # other people's package
@pytest.mark.skipif(not portilla_simoncelli.is_available(), reason="plenoptic is not installed")
def test_a_synthesis_nears_the_statistics():
    exemplar = blobs(32, 32, seed=0)
    image, trace = portilla_simoncelli.synthesize(exemplar, iterations=20)
    assert image.shape == (3, 32, 32)
    assert trace[-1]["loss"] < 0.2 * trace[0]["loss"]
    shown = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    own, near, far = portilla_simoncelli.distances(exemplar, [exemplar, shown, blobs(32, 32, seed=1)])
    assert own == pytest.approx(0, abs=1e-9)
    assert near < far
    again, _ = portilla_simoncelli.synthesize(exemplar, iterations=20)
    torch.testing.assert_close(image, again, rtol=0, atol=0)


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(not portilla_simoncelli.is_available(), reason="plenoptic is not installed")
def test_a_killed_synthesis_goes_on_and_ends_with_the_same_bits(tmp_path, monkeypatch, caplog):
    exemplar, checkpoint = blobs(32, seed=0), tmp_path / "run/image.checkpoint"
    options = {"iterations": 40, "checkpoint_every": 10}
    undisturbed, told = portilla_simoncelli.synthesize(exemplar, **options)
    metamer = portilla_simoncelli._plenoptic().Metamer
    save, saved = metamer.save, []

    def die(self, path):
        save(self, path)
        saved.append(path)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(metamer, "save", die)
        with pytest.raises(KeyboardInterrupt):
            portilla_simoncelli.synthesize(exemplar, checkpoint=checkpoint, **options)
    caplog.set_level("INFO")
    resumed, trace = portilla_simoncelli.synthesize(exemplar, checkpoint=checkpoint, **options)
    assert "going on after 2 turns" in caplog.text
    torch.testing.assert_close(resumed, undisturbed, rtol=0, atol=0)
    assert [row["loss"] for row in trace] == [row["loss"] for row in told]
    other, _ = portilla_simoncelli.synthesize(blobs(32, seed=1), checkpoint=checkpoint, **options)
    assert "starting anew" in caplog.text
    assert not torch.equal(other, undisturbed)
