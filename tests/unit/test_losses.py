"""Texture losses: against finite differences and printed equations."""

import math

import numpy as np
import pytest
import torch
from small import blobs, noise, small_network

from texalign import InputError, synthesis
from texalign.synthesis import descent, losses, matching
from texalign.synthesis.losses.common import gram_distance
from texalign.synthesis.losses.gatys import Gatys
from texalign.synthesis.losses.mean_std import MeanStd
from texalign.synthesis.losses.paper import Paper
from texalign.synthesis.losses.shifted_gram import ShiftedGram
from texalign.synthesis.losses.sliced_wasserstein import SlicedWasserstein

LOSSES = [
    Paper(),
    Gatys(layer_weights={"L1": 0.5, "L2": 3.0}),
    SlicedWasserstein(),
    MeanStd(),
    ShiftedGram(),
]

NAMES = [loss.options["name"] for loss in LOSSES]


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
    assert torch.autograd.gradcheck(gram_distance, (maps, target))


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
    settings = descent.Settings(iterations=5, start="noise", bounds=False)
    one = descent.Descent(0, objective.exemplars[0], objective, settings)
    one.run(lambda *request: objective.evaluate([request])[0])
    result = matching.finish(one, objective.exemplars[0])
    torch.testing.assert_close(result.image, torch.tensor(blobs()).permute(2, 0, 1) / 255, atol=1e-5, rtol=0)
    assert result.metadata["loss"] < 1e-9


def test_paper_loss_is_equation_2():
    maps, wanted = noise(8).expand(1, -1, -1, -1), noise(8, 5).expand(1, -1, -1, -1)
    f, g = (x.flatten(2)[0].numpy() for x in (maps, wanted))
    loss = Paper()
    n, m = f.shape
    expected = ((f @ f.T - g @ g.T) ** 2).sum() / (4 * m * n**2)
    assert loss.distance("L1", maps, loss.describe("L1", wanted), (8, 8)).item() == pytest.approx(expected)


def test_gatys_loss_of_one_layer_has_the_gradient_of_equation_4():
    generator = torch.Generator().manual_seed(0)
    before, wanted = torch.randn(2, 1, 5, 6, 7, generator=generator, dtype=torch.float64)
    before.requires_grad_()
    loss = Gatys()
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
    loss = SlicedWasserstein(directions=4)
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
    plain, shifted = Paper(), ShiftedGram()
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


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_loss_falls_by_orders_of_magnitude(loss):
    result = synthesis.synthesize(small_network(), blobs(), loss, iterations=150, bounds=False)
    # Each new draw of directions gives the sliced Wasserstein distance something left to do.
    factor = 1e-2 if loss.redraw_every else 1e-3
    assert result.metadata["loss"] < factor * result.metadata["initial_loss"]
    assert result.image.shape == (3, 16, 16)
    assert 0 <= result.image.min() <= result.image.max() <= 1


@pytest.mark.parametrize(
    ("loss", "options", "words"),
    [
        (
            "paper",
            {"layer_weights": {"L1": -1.0}},
            r"layer_weights: L1: -1.0 given; a finite number of at least 0",
        ),
        ("gatys", {"layer_weights": {"L2": float("nan")}}, "layer_weights: L2: nan given"),
        ("mean_std", {"layer_weights": {"L2": float("inf")}}, "layer_weights: L2: inf given"),
        ("sliced_wasserstein", {"directions": 0}, "directions: 0 given; a whole number of at least 1"),
        ("sliced_wasserstein", {"directions": 2.5}, "directions: 2.5 given; a whole number"),
        ("sliced_wasserstein", {"seed": True}, "seed: True given"),
        ("shifted_gram", {"shifts": [0.5, -0.5]}, "shifts: -0.5 given"),
    ],
)
def test_options_out_of_range_are_refused(loss, options, words):
    with pytest.raises(InputError, match=words):
        losses.get(loss, **options)
