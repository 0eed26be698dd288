"""Balanced weights, several scales, what is compared of the pixels, and the start from coarse to fine."""

import json

import numpy as np
import pytest
import torch
from small import blobs, noise, slopes, small_network
from torch.nn import functional

from texalign import InputError, readout, synthesis
from texalign.synthesis import balance, descent, losses, pixels, pyramid, scores
from texalign.synthesis.losses.mean_std import MeanStd
from texalign.synthesis.losses.paper import Paper

BALANCED = Paper(layer_weights="balanced")
ONE_SCALE = Paper(layer_weights="balanced", scales=1, pixels=0)


def test_weights_are_one_over_the_loss_between_halves_of_the_maps():
    network, exemplar = small_network(), blobs(seed=3)
    objective = synthesis.Objective(network, [exemplar], ONE_SCALE)
    maps = readout.feature_maps(network, objective.exemplars)
    for number, layer in enumerate(network.layers):
        (_, h, w), plain = maps[layer][0].shape, Paper()
        pairs = [(maps[layer][..., : w // 2], maps[layer][..., w // 2 :])]
        pairs += [(maps[layer][:, :, : h // 2], maps[layer][:, :, h // 2 :])]
        halves = [float(plain.distance(layer, a, plain.describe(layer, b), None)) for a, b in pairs]
        assert objective.weights[0][layer, 0] == pytest.approx(1 / (2 * np.mean(halves)))
        assert objective.plain_weights(0)[layer] == [objective.weights[0][layer, 0]]
        image = noise(dtype=torch.float32)[None]
        alone = synthesis.Objective(network, [exemplar]).distances(image, [0])[number]
        weighted = objective.distances(image, [0])[number]
        assert weighted.item() == pytest.approx((alone * objective.weights[0][layer, 0]).item(), rel=1e-5)


def test_no_layer_has_nearly_all_of_the_balanced_loss():
    """A first layer a thousand times as strong has all of the paper's loss, but not of the balanced one."""
    network = small_network()
    with torch.no_grad():
        network.module[0].weight *= 1000
        network.module[3].weight /= 1000
    share = {}
    for name, loss in (("paper", Paper()), ("balanced", ONE_SCALE)):
        values = synthesis.evaluate(network, blobs(seed=5), blobs(), loss)
        share[name] = values["L1"] / values["loss"]
    assert share["paper"] > 0.999
    assert 0.05 < share["balanced"] < 0.95


def test_a_term_that_is_alike_in_the_halves_does_not_outweigh_all_others(monkeypatch):
    tile = np.tile(blobs(8), (2, 2, 1))  # its halves are the same pixels

    def terms():
        return synthesis.Objective(small_network(), [tile], Paper("balanced", 1)).weights[0]

    kept = terms()
    monkeypatch.setattr(balance, "FLOOR", 0.0)
    unkept = terms()
    assert unkept["colours", 0] == 0 or unkept["colours", 0] > 1e3 * kept["colours", 0]
    assert 0 < kept["colours", 0] < np.inf


def test_exemplars_of_a_batch_keep_weights_of_their_own():
    exemplars = [blobs(seed=1), blobs(seed=2)]
    both = synthesis.Objective(small_network(), exemplars, BALANCED)
    image = noise(dtype=torch.float32)
    for index, exemplar in enumerate(exemplars):
        alone = synthesis.Objective(small_network(), [exemplar], BALANCED)
        assert both.weights[index] == pytest.approx(alone.weights[0], rel=1e-4)
        values = both.distances(torch.stack([image, image]), [0, 1])[:, index]
        torch.testing.assert_close(values, alone.distances(image[None], [0])[:, 0], rtol=1e-4, atol=1e-6)


def test_paper_weights_are_those_without_a_word():
    network, image = small_network(), noise(dtype=torch.float32)[None]
    said, unsaid = (
        synthesis.Objective(network, [blobs()], loss) for loss in (Paper(layer_weights="paper"), Paper())
    )
    assert torch.equal(said.distances(image, [0]), unsaid.distances(image, [0]))
    assert said.plain_weights(0) is None
    assert (said.loss.scales, said.loss.pixels, said.names) == (1, 0.0, ("L1", "L2"))


def test_scales_are_halves_of_the_image():
    network, exemplar = small_network(), blobs(32)
    image = torch.tensor(blobs(32, seed=5)).permute(2, 0, 1) / 255
    halved = functional.avg_pool2d(image[None], 2)[0]
    small = functional.avg_pool2d(torch.tensor(exemplar).permute(2, 0, 1)[None] / 255, 2)[0]
    both = synthesis.evaluate(network, image, exemplar, Paper(scales=2))
    one, other = synthesis.evaluate(network, image, exemplar), synthesis.evaluate(network, halved, small)
    for name in ("loss", "L1", "L2"):
        assert both[name] == pytest.approx(one[name] + other[name], rel=1e-5)


def test_a_scale_is_left_out_where_the_network_cannot_read_it():
    objective = synthesis.Objective(small_network(), [blobs(8)], Paper("balanced"))
    found = {name: len(values) for name, values in objective.plain_weights(0).items()}
    # 8, 4 and 2 px; the second layer has half as many positions, and patches need 6 px.
    assert found == {"L1": 3, "L2": 2, "patches": 1, "colours": 1}
    assert list(objective.named([1, 2, 3, 4])) == ["loss", "L1", "L2", "patches", "colours"]


def test_patches_are_second_moments_of_neighbouring_pixels():
    image = noise(6)[None]
    windows = [image[0, :, y : y + 3, x : x + 3].flatten() for y in range(4) for x in range(4)]
    rows = torch.stack([torch.cat([window, torch.ones(1)]) for window in windows])
    torch.testing.assert_close(pixels.patches(image)[0], rows.T @ rows / 16)


def test_colours_do_not_depend_on_where_they_are():
    image = noise(6)[None]
    shuffled = image.flatten(2)[:, :, torch.randperm(36, generator=torch.Generator().manual_seed(0))]
    shuffled = shuffled.unflatten(2, (6, 6))
    target = pixels.colours(image)
    assert float(pixels.distance("colours", shuffled, target)) < 1e-20
    assert float(pixels.distance("patches", shuffled, pixels.patches(image))) > 1e-3
    assert float(pixels.distance("colours", image + 1, target)) > 0.1
    assert float(pixels.distance("colours", noise(12, 3)[None], target)) < 0.2  # of another size


@pytest.mark.parametrize(
    "loss", [BALANCED, MeanStd(layer_weights="balanced", scales=2)], ids=["paper", "mean_std"]
)
def test_balanced_gradients_agree_with_finite_differences(loss):
    objective = synthesis.Objective(small_network(torch.float64), [blobs()], loss)
    image = noise()
    direction = noise(seed=10)
    slope, found = slopes(objective, image, direction)
    assert any(value == pytest.approx(slope, rel=1e-5) for value in found)  # a kink may lie within a step


@pytest.mark.parametrize("size", [(16, 16), (24, 10)])
def test_spot_noise_has_the_exemplars_mean_and_spectrum(size):
    exemplar = noise(16)
    drawn = torch.stack([pyramid.spot_noise(exemplar, size, seed) for seed in range(400)])
    assert drawn.shape[2:] == size
    torch.testing.assert_close(drawn.mean((0, 2, 3)), exemplar.mean((1, 2)), atol=0.05, rtol=0)
    variance = (exemplar - exemplar.mean((1, 2), keepdim=True)).square().mean((1, 2))
    torch.testing.assert_close(drawn.var((0, 2, 3)), variance, atol=0, rtol=0.15)
    if size == (16, 16):
        power = torch.fft.rfft2(drawn - exemplar.mean((1, 2), keepdim=True)).abs().square().mean(0)
        wanted = torch.fft.rfft2(exemplar - exemplar.mean((1, 2), keepdim=True)).abs().square()
        strong = wanted > wanted.mean()
        torch.testing.assert_close(power[strong], wanted[strong], atol=0, rtol=0.5)
    assert torch.equal(drawn[3], pyramid.spot_noise(exemplar, size, 3))


def test_an_image_begins_coarse_where_the_weights_are_balanced():
    options = {"iterations": 6, "seed": 1}
    coarse = synthesis.synthesize(small_network(), blobs(64), BALANCED, **options)
    plain = synthesis.synthesize(small_network(), blobs(64), BALANCED, start="noise", **options)
    assert coarse.metadata["settings"]["start"] == "coarse"
    assert coarse.trace[0]["note"] == "from 32x32 px"
    assert plain.trace[0]["note"] == ""
    assert coarse.metadata["initial_loss"] == pytest.approx(plain.metadata["initial_loss"], rel=1e-5)
    assert coarse.trace[0]["loss"] < 0.2 * coarse.metadata["initial_loss"]
    assert coarse.metadata["loss"] < plain.metadata["loss"]
    assert set(coarse.metadata["layer_weights"]) == {"L1", "L2", "patches", "colours"}
    json.dumps(coarse.metadata)


def test_a_killed_job_that_began_coarse_ends_with_the_same_bits(tmp_path, monkeypatch):
    options = {"iterations": 8, "checkpoint_every": 4}
    undisturbed = synthesis.synthesize(small_network(), blobs(64), BALANCED, **options)
    advance = descent.Descent._advance

    def die(one):
        if one.path and one.step == 6:
            raise KeyboardInterrupt
        return advance(one)

    with monkeypatch.context() as patch:
        patch.setattr(descent.Descent, "_advance", die)
        with pytest.raises(KeyboardInterrupt):
            synthesis.synthesize(small_network(), blobs(64), BALANCED, checkpoint=tmp_path / "c", **options)
    monkeypatch.setattr(pyramid, "coarse_start", None)  # what is done is not done again
    resumed = synthesis.synthesize(small_network(), blobs(64), BALANCED, checkpoint=tmp_path / "c", **options)
    assert torch.equal(resumed.image, undisturbed.image)
    assert resumed.metadata["initial_loss"] == undisturbed.metadata["initial_loss"]


def test_halves_of_the_exemplar_are_scored_with_its_weights():
    exemplar = blobs(32, seed=4)
    image = blobs(32, seed=5)
    (row,) = scores.certificates(small_network(), exemplar, exemplar, [image], [image], BALANCED)
    assert 0.3 < row["halves_loss"] < 3  # the halves' losses are the unit
    assert row["class_loss"] == pytest.approx(row["loss"], rel=1e-5)
    assert row["worst_layer"] in ("L1", "L2", "patches", "colours")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"layer_weights": "equal"},
            "layer_weights: 'equal' is unknown; allowed: paper, balanced,",
        ),
        ({"scales": 0}, "scales: 0 given; a whole number of at least 1"),
        ({"pixels": -1}, "pixels: -1 given"),
    ],
)
def test_options_out_of_range_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        losses.get("paper", **options)


def test_an_unknown_start_is_refused():
    with pytest.raises(InputError, match="start: 'fine' is unknown; allowed: noise, coarse"):
        synthesis.Settings(start="fine")
