"""Texture losses against finite differences and printed equations; the optimisers on a tiny network."""

import json
import math

import numpy as np
import pytest
import torch
from small import blobs, noise, small_network

from texalign import InputError, descent, losses, networks, synthesis

LOSSES = [
    losses.Paper(),
    losses.Gatys(layer_weights={"L1": 0.5, "L2": 3.0}),
    losses.SlicedWasserstein(),
    losses.MeanStd(),
    losses.ShiftedGram(),
]
NAMES = [loss.options["name"] for loss in LOSSES]


# ---------------------------------------------------------------- losses


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("size", [16, 12])
@pytest.mark.parametrize("readout", ["linear", "relu"])
def test_gradients_agree_with_finite_differences(loss, size, readout):
    objective = synthesis.Objective(small_network(torch.float64), [blobs()], loss, readout)
    image = noise(size)
    ((_, gradient),) = objective.evaluate([(0, image, 0)])
    for seed in range(4):
        direction = noise(size, 10 + seed)
        slope = float((gradient * direction).sum())

        def difference(step, direction=direction):
            requests = [[(0, image + s * step * direction, 0)] for s in (1, -1)]
            ahead, behind = (math.fsum(objective.evaluate(request)[0][0]) for request in requests)
            return (ahead - behind) / (2 * step)

        # A kink may lie within a step (a ReLU, a maximum, two ranks that swap), but not within all.
        assert any(difference(step) == pytest.approx(slope, rel=1e-5) for step in (1e-5, 1e-6, 1e-7, 1e-8))


@pytest.mark.parametrize("shape", [(2, 5, 4, 3), (1, 3, 7, 7)])
def test_hand_written_gram_gradient_passes_gradcheck(shape):
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randn(shape[0], shape[1], shape[1], generator=generator, dtype=torch.float64)
    target = target + target.mT
    assert torch.autograd.gradcheck(losses.gram_distance, (maps, target))


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_an_exemplar_has_no_loss_against_itself(loss):
    values = synthesis.evaluate(small_network(), blobs(), blobs(), loss)
    assert list(values) == ["loss", "L1", "L2"]
    assert max(values.values()) < 1e-9
    assert synthesis.evaluate(small_network(), blobs(seed=5), blobs(), loss)["loss"] > 1e-3


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_a_texture_synthesised_towards_itself_stays(loss):
    network = small_network()
    objective = synthesis.Objective(network, [blobs()], loss)
    one = descent.Descent(0, objective.exemplars[0], objective, descent.Settings(iterations=5))
    one.run(lambda *request: objective.evaluate([request])[0])
    result = synthesis._finish(one)
    torch.testing.assert_close(result.image, torch.tensor(blobs()).permute(2, 0, 1) / 255, atol=1e-5, rtol=0)
    assert result.metadata["loss"] < 1e-9


def test_paper_loss_is_equation_2():
    maps, wanted = noise(8).expand(1, -1, -1, -1), noise(8, 5).expand(1, -1, -1, -1)
    f, g = (x.flatten(2)[0].numpy() for x in (maps, wanted))
    loss = losses.Paper()
    n, m = f.shape
    expected = ((f @ f.T - g @ g.T) ** 2).sum() / (4 * m * n**2)
    assert loss.distance("L1", maps, loss.describe("L1", wanted), (8, 8)).item() == pytest.approx(expected)


def test_gatys_loss_of_one_layer_has_the_gradient_of_equation_4():
    generator = torch.Generator().manual_seed(0)
    before, wanted = torch.randn(2, 1, 5, 6, 7, generator=generator, dtype=torch.float64)
    before.requires_grad_()
    loss = losses.Gatys()
    value = loss.distance("L1", before.relu(), loss.describe("L1", wanted.relu()), (6, 7))
    (gradient,) = torch.autograd.grad(value.sum(), before)
    F, T = before.detach().relu()[0].flatten(1).numpy(), wanted.relu()[0].flatten(1).numpy()
    n, m = F.shape
    G, T = F @ F.T, T @ T.T
    equation_4 = (F.T @ (G - T)).T / (n**2 * m**2) * (F > 0)
    np.testing.assert_allclose(gradient[0].flatten(1).numpy(), equation_4, rtol=1e-12, atol=1e-18)
    assert value.item() == pytest.approx(((G - T) ** 2).sum() / (4 * n**2 * m**2))


@pytest.mark.parametrize(("n", "m"), [(4, 50), (16, 100)])
def test_expected_loss_of_standard_normal_features_is_2mn_n_plus_1(n, m):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4000, n, m))
    difference = a @ a.transpose(0, 2, 1) - b @ b.transpose(0, 2, 1)
    off = ~np.eye(n, dtype=bool)
    assert difference[:, off].var() == pytest.approx(2 * m, rel=0.03)
    assert difference[:, ~off].var() == pytest.approx(4 * m, rel=0.03)
    sums = (difference**2).sum(axis=(1, 2))
    error = sums.std() / math.sqrt(len(sums))
    assert abs(sums.mean() - 2 * m * n * (n + 1)) < 4 * error
    assert abs(sums.mean() - 4 * m * n**2) > 20 * error


def test_sliced_wasserstein_is_the_distance_of_sorted_projections():
    maps, wanted = noise(6).expand(1, -1, -1, -1), noise(6, 5).expand(1, -1, -1, -1)
    loss = losses.SlicedWasserstein(directions=4)
    target = loss.describe("L1", wanted)
    directions = target[0][0].numpy()
    np.testing.assert_allclose((directions**2).sum(1), 1, rtol=1e-6)
    ours, theirs = (np.sort(directions @ x[0].flatten(1).numpy(), axis=1) for x in (maps, wanted))
    assert loss.distance("L1", maps, target, (6, 6)).item() == pytest.approx(((ours - theirs) ** 2).mean())
    assert not torch.equal(loss.describe("L1", wanted, draw=1)[0], target[0])


def test_shifted_gram_sees_order_that_the_plain_gram_does_not():
    maps = noise(8).expand(1, -1, -1, -1)
    scrambled = maps.flatten(2)[:, :, torch.randperm(64, generator=torch.Generator().manual_seed(0))]
    scrambled = scrambled.unflatten(2, (8, 8))
    plain, shifted = losses.Paper(), losses.ShiftedGram()
    assert plain.distance("L1", scrambled, plain.describe("L1", maps), (8, 8)).item() < 1e-20
    assert shifted.distance("L1", scrambled, shifted.describe("L1", maps), (8, 8)).item() > 1e-3


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_losses_compare_images_of_other_sizes(loss):
    # A periodic texture, 16 and 32 px: away from the borders the maps hold the same values.
    tile = blobs()
    larger = np.tile(tile, (2, 2, 1))
    small = synthesis.evaluate(small_network(), larger, tile, loss)["loss"]
    unlike = synthesis.evaluate(small_network(), blobs(32, seed=5), tile, loss)["loss"]
    assert small < unlike / 5


def test_registry_refuses_what_it_does_not_have():
    assert losses.get("sliced_wasserstein", directions=3).directions == 3
    with pytest.raises(InputError, match=r"loss: 'gram' is unknown; allowed: paper, gatys"):
        losses.get("gram")
    with pytest.raises(InputError, match=r"mean_std has no option 'shifts'; allowed: layer_weights"):
        losses.get("mean_std", shifts=[1])


# ---------------------------------------------------------------- synthesis


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_loss_falls_by_orders_of_magnitude(loss):
    result = synthesis.synthesize(small_network(), blobs(), loss, iterations=150)
    # Each new draw of directions gives the sliced Wasserstein distance something left to do.
    factor = 1e-2 if loss.redraw_every else 1e-3
    assert result.metadata["loss"] < factor * result.metadata["initial_loss"]
    assert result.image.shape == (3, 16, 16)
    assert 0 <= result.image.min() <= result.image.max() <= 1


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
        small_network(), blobs(), size=64, iterations=0, noise_mean=0.5, noise_std=0.2
    )
    normalised = synthesis.Objective(small_network(), [blobs()]).normalise(result.image)
    assert normalised.mean() == pytest.approx(0.5, abs=0.01)
    assert normalised.std() == pytest.approx(0.2, abs=0.01)


def test_bf16_lowers_the_loss_that_float32_sees():
    low = networks.set_precision(small_network(), "bf16")
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
    assert result.image.shape[1:] == torch.Size(synthesis._pair(size))
    assert result.metadata["loss"] < 1e-2 * result.metadata["initial_loss"]


def test_bounds_keep_the_loss_of_what_is_shown():
    options = {"iterations": 150, "seed": 1}
    free = synthesis.synthesize(small_network(), blobs(), **options).metadata
    bounded = synthesis.synthesize(small_network(), blobs(), bounds=True, **options).metadata
    assert bounded["loss"] < 1e-2 * bounded["initial_loss"]
    assert bounded["loss_as_shown"] < free["loss_as_shown"]


# ---------------------------------------------------------------- layers, files, bad input


def test_cumulative_layers_are_the_rows_of_a_series():
    series = synthesis.cumulative(small_network())
    assert {name: list(network.layers) for name, network in series.items()} == {
        "L1": ["L1"],
        "L2": ["L1", "L2"],
    }


def test_png_holds_its_metadata(tmp_path):
    result = synthesis.synthesize(small_network(), blobs(), iterations=2)
    path = tmp_path / "new" / "texture.png"
    synthesis.save_png(path, result.image, result.metadata)
    assert synthesis.read_metadata(path) == result.metadata
    np.testing.assert_allclose(
        synthesis.load_exemplar(path, 16) / 255, result.image.permute(1, 2, 0), atol=0.51 / 255
    )


def test_trace_is_a_table(tmp_path):
    result = synthesis.synthesize(small_network(), blobs(), iterations=2)
    synthesis.save_trace(tmp_path / "trace.csv", result.trace)
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
        ({"loss": losses.Paper({"L3": 1.0})}, "layer_weights: 'L3' is no layer"),
        ({"loss": losses.ShiftedGram(), "size": 6}, "make the image larger"),
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
