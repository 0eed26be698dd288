"""Texture losses against finite differences and printed equations; the optimisers on a tiny network."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from texalign import InputError, losses, networks, synthesis

LOSSES = [
    losses.Paper(),
    losses.Gatys(layer_weights={"L1": 0.5, "L2": 3.0}),
    losses.SlicedWasserstein(),
    losses.MeanStd(),
    losses.ShiftedGram(),
]
NAMES = [loss.options["name"] for loss in LOSSES]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_network(dtype=torch.float32, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )
    module = module.eval().requires_grad_(False).to(dtype=dtype, memory_format=torch.channels_last)
    return networks.Network(module, {"L1": "0", "L2": "3"}, weights="tiny", weights_sha256="none")


def exemplar(size=16, seed=1):
    """Random blobs: smooth, coloured, not constant. uint8 (size, size, 3)."""
    grid = np.random.default_rng(seed).integers(0, 256, (size // 4, size // 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(grid).resize((size, size)))


def noise(size=16, seed=2, dtype=torch.float64):
    return torch.randn(3, size, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# ---------------------------------------------------------------- losses


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("size", [16, 12])
@pytest.mark.parametrize("readout", ["linear", "relu"])
def test_gradients_agree_with_finite_differences(loss, size, readout):
    objective = synthesis.Objective(tiny_network(torch.float64), [exemplar()], loss, readout)
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
    values = synthesis.evaluate(tiny_network(), exemplar(), exemplar(), loss)
    assert list(values) == ["loss", "L1", "L2"]
    assert max(values.values()) < 1e-9
    assert synthesis.evaluate(tiny_network(), exemplar(seed=5), exemplar(), loss)["loss"] > 1e-3


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_a_texture_synthesised_towards_itself_stays(loss):
    network = tiny_network()
    objective = synthesis.Objective(network, [exemplar()], loss)
    descent = synthesis._Descent(0, objective.exemplars[0], objective, synthesis.Settings(iterations=5))
    descent.keep(None, {})
    descent.run(lambda *request: objective.evaluate([request])[0])
    result = synthesis._finish(descent)
    torch.testing.assert_close(
        result.image, torch.tensor(exemplar()).permute(2, 0, 1) / 255, atol=1e-5, rtol=0
    )
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
    tile = exemplar()
    larger = np.tile(tile, (2, 2, 1))
    small = synthesis.evaluate(tiny_network(), larger, tile, loss)["loss"]
    unlike = synthesis.evaluate(tiny_network(), exemplar(32, seed=5), tile, loss)["loss"]
    assert small < unlike / 5


def test_registry_refuses_what_it_does_not_have():
    assert losses.get("sliced_wasserstein", directions=3).directions == 3
    with pytest.raises(InputError, match=r"loss: 'gram' is unknown; allowed: paper, gatys"):
        losses.get("gram")
    with pytest.raises(InputError, match=r"mean_std has no option 'shifts'; allowed: layer_weights"):
        losses.get("mean_std", shifts=[1])


# ---------------------------------------------------------------- Gatys' network


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )

    def forward(self, images):
        return self.features(images)


def chain_network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = Chain().eval().requires_grad_(False)
    return networks.Network(module, {"L1": "features.0", "L2": "features.5"})


def test_gatys_network_averages_and_gives_every_filter_a_mean_of_1():
    network = chain_network()
    averaging = losses.gatys_network(network)
    assert isinstance(network.module.features[2], nn.MaxPool2d)
    assert [type(averaging.module.features[i]) for i in (2, 5)] == [nn.AvgPool2d] * 2
    images = np.stack([exemplar(seed=seed) for seed in range(4)])
    means = losses.mean_activations(averaging, [images[:3], images[3:]])
    scaled = losses.gatys_network(averaging, means)
    assert scaled.weights == "; average pooling; filters scaled to a mean activation of 1"
    for name, mean in losses.mean_activations(scaled, [images]).items():
        alive = means[name] > 0
        torch.testing.assert_close(mean[alive], torch.ones_like(mean[alive]), rtol=1e-5, atol=0)
    before = networks.feature_maps(averaging, averaging.preprocess(images), "relu")["L2"]
    after = networks.feature_maps(scaled, scaled.preprocess(images), "relu")["L2"]
    divisor = torch.where(means["3"] > 0, means["3"], 1)[:, None, None]
    torch.testing.assert_close(after, before / divisor)


def test_gatys_network_refuses_branches():
    with pytest.raises(InputError, match=r"a chain of convolutions"):
        losses.gatys_network(tiny_network())


# ---------------------------------------------------------------- synthesis


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_loss_falls_by_orders_of_magnitude(loss):
    result = synthesis.synthesize(tiny_network(), exemplar(), loss, iterations=150)
    # Each new draw of directions gives the sliced Wasserstein distance something left to do.
    factor = 1e-2 if loss.redraw_every else 1e-3
    assert result.metadata["loss"] < factor * result.metadata["initial_loss"]
    assert result.image.shape == (3, 16, 16)
    assert 0 <= result.image.min() <= result.image.max() <= 1


def test_trace_and_metadata_say_what_happened():
    result = synthesis.synthesize(tiny_network(), exemplar(), seed=3, iterations=20)
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
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=10)
    shown = synthesis.evaluate(tiny_network(), result.image.mul(255).round() / 255, exemplar())
    assert shown["loss"] == pytest.approx(result.metadata["loss_as_shown"], rel=1e-5)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_same_seed_same_bits_other_seed_other_image(optimizer):
    options = {"iterations": 12, "optimizer": optimizer}
    one, same, other = (
        synthesis.synthesize(tiny_network(), exemplar(), seed=seed, **options).image for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.1)


def test_initial_image_has_the_asked_noise():
    result = synthesis.synthesize(
        tiny_network(), exemplar(), size=64, iterations=0, noise_mean=0.5, noise_std=0.2
    )
    normalised = synthesis.Objective(tiny_network(), [exemplar()]).normalise(result.image)
    assert normalised.mean() == pytest.approx(0.5, abs=0.01)
    assert normalised.std() == pytest.approx(0.2, abs=0.01)


def test_bf16_lowers_the_loss_that_float32_sees():
    low = networks.set_precision(tiny_network(), "bf16")
    result = synthesis.synthesize(low, exemplar(), iterations=30)
    start = synthesis.synthesize(tiny_network(), exemplar(), iterations=0).metadata["initial_loss"]
    assert result.metadata["precision"] == "bf16"
    assert synthesis.evaluate(tiny_network(), result.image, exemplar())["loss"] < 0.1 * start


def test_adam_lowers_the_loss():
    result = synthesis.synthesize(tiny_network(), exemplar(), optimizer="adam", iterations=200)
    assert result.metadata["loss"] < 0.01 * result.metadata["initial_loss"]
    assert result.metadata["evaluations"] == 201


@pytest.mark.parametrize("size", [24, (12, 20)])
def test_output_has_any_size(size):
    result = synthesis.synthesize(tiny_network(), exemplar(), size=size, iterations=60)
    assert result.image.shape[1:] == torch.Size(synthesis._pair(size))
    assert result.metadata["loss"] < 1e-2 * result.metadata["initial_loss"]


def test_bounds_keep_the_loss_of_what_is_shown():
    options = {"iterations": 150, "seed": 1}
    free = synthesis.synthesize(tiny_network(), exemplar(), **options).metadata
    bounded = synthesis.synthesize(tiny_network(), exemplar(), bounds=True, **options).metadata
    assert bounded["loss"] < 1e-2 * bounded["initial_loss"]
    assert bounded["loss_as_shown"] < free["loss_as_shown"]


def test_bounded_gradient_agrees_with_finite_differences():
    objective = synthesis.Objective(tiny_network(torch.float64), [exemplar()])
    descent = synthesis._Descent(0, noise(), objective, synthesis.Settings(bounds=True))
    descent.ask = lambda *request: objective.evaluate([request])[0]
    here, step = descent.point.clone(), 1e-6
    descent._closure()
    slope = float((descent.point.grad * noise(seed=7)).sum())
    ahead, behind = (
        descent.point.copy_(here + s * step * noise(seed=7)) is None or descent._closure() for s in (1, -1)
    )
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


# ---------------------------------------------------------------- checkpoints, restarts, batches


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam"},
        {"bounds": True},
        {"loss": losses.SlicedWasserstein(redraw_every=8), "history": 3},
    ],
    ids=["lbfgs", "adam", "bounds", "sliced_wasserstein"],
)
@pytest.mark.parametrize("killed_at", [13, 29])
def test_killed_job_goes_on_and_ends_with_the_same_bits(tmp_path, monkeypatch, options, killed_at):
    options = {"iterations": 30, "checkpoint_every": 5} | options
    undisturbed = synthesis.synthesize(tiny_network(), exemplar(), **options)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    advance = synthesis._Descent._advance

    def die(descent):
        if descent.step == killed_at:
            raise KeyboardInterrupt
        return advance(descent)

    with monkeypatch.context() as patch:
        patch.setattr(synthesis._Descent, "_advance", die)
        with pytest.raises(KeyboardInterrupt):
            synthesis.synthesize(tiny_network(), exemplar(), checkpoint=checkpoint, **options)
    resumed = synthesis.synthesize(tiny_network(), exemplar(), checkpoint=checkpoint, **options)
    assert torch.equal(resumed.image, undisturbed.image)
    for ours, theirs in zip(resumed.trace, undisturbed.trace, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


def test_checkpoint_of_other_settings_is_not_gone_on_with(tmp_path, caplog):
    path = tmp_path / "checkpoint.pt"
    options = {"iterations": 10, "checkpoint_every": 5}
    synthesis.synthesize(tiny_network(), exemplar(), checkpoint=path, **options)
    for changed in ({"seed": 1}, {"history": 7}, {"loss": "mean_std"}):
        fresh = synthesis.synthesize(tiny_network(), exemplar(), **options, **changed)
        result = synthesis.synthesize(tiny_network(), exemplar(), checkpoint=path, **options, **changed)
        assert torch.equal(result.image, fresh.image)
    assert "made with other settings" in caplog.text
    path.write_bytes(b"torn")
    synthesis.synthesize(tiny_network(), exemplar(), checkpoint=path, **options)
    assert "cannot be read" in caplog.text


def fail_at(monkeypatch, evaluations):
    """Make the loss NaN at these evaluations, counted from 1."""
    evaluate, count = synthesis.Objective.evaluate, [0]

    def failing(self, requests):
        count[0] += 1
        answers = evaluate(self, requests)
        return [([math.nan] * len(v), g) for v, g in answers] if count[0] in evaluations else answers

    monkeypatch.setattr(synthesis.Objective, "evaluate", failing)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_nan_restarts_from_the_best_image_and_says_so(monkeypatch, optimizer):
    fail_at(monkeypatch, {10, 30})
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=100, optimizer=optimizer)
    notes = [row["note"] for row in result.trace if row["note"]]
    assert notes == ["loss not finite; restarted from the best image"] * 2
    assert result.metadata["restarts"] == 2
    assert result.metadata["loss"] < 0.1 * result.metadata["initial_loss"]
    assert result.image.isfinite().all()


def test_nan_stops_after_the_allowed_restarts(monkeypatch):
    fail_at(monkeypatch, set(range(10, 1000)))
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=100, optimizer="adam", restarts=3)
    assert result.trace[-1]["note"] == "loss not finite; stopped after 3 restarts"
    assert result.metadata["steps"] < 20
    assert result.image.isfinite().all()


def test_stalled_line_search_restarts_then_stops():
    # Run into rounding: no lower loss can be found.
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=3000, history=20, layers=["L1"])
    assert result.trace[-1]["note"].startswith("line search stalled; stopped after")
    assert result.metadata["loss"] < 1e-9 * result.metadata["initial_loss"]


def test_nan_at_once_is_an_error(monkeypatch):
    fail_at(monkeypatch, {1})
    with pytest.raises(InputError, match="not finite for the initial image"):
        synthesis.synthesize(tiny_network(), exemplar(), iterations=3)


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_batch_begins_as_single_runs_do(monkeypatch, loss):
    exemplars, seeds, options = [exemplar(seed=seed) for seed in range(3)], [4, 5, 6], {"iterations": 40}
    evaluate, said = synthesis._Descent._evaluate, {}

    def listen(descent):
        answer = evaluate(descent)
        said.setdefault(descent.metadata["seed"], []).append(answer.loss)
        return answer

    monkeypatch.setattr(synthesis._Descent, "_evaluate", listen)
    batch = synthesis.synthesize_batch(tiny_network(), exemplars, loss, seeds, **options)
    together = dict(said)
    said.clear()
    for one, example, seed in zip(batch, exemplars, seeds, strict=True):
        single = synthesis.synthesize(tiny_network(), example, loss, seed, **options)
        assert together[seed][:2] == pytest.approx(said[seed][:2], rel=1e-5)
        assert one.metadata["seed"] == seed
        for result in (one, single):
            assert result.metadata["loss"] < 0.05 * result.metadata["initial_loss"]


def test_batch_survives_the_end_of_one_and_passes_errors_on(monkeypatch):
    sizes = []
    evaluate = synthesis.Objective.evaluate
    monkeypatch.setattr(
        synthesis.Objective,
        "evaluate",
        lambda self, requests: sizes.append([r[0] for r in requests]) or evaluate(self, requests),
    )
    synthesis.synthesize_batch(tiny_network(), [exemplar()] * 3, seeds=[0, 1, 2], iterations=40)
    assert sizes[0] == [0, 1, 2]
    assert all(indices == sorted(indices) for indices in sizes)
    assert sizes[-1] != [0, 1, 2]  # line searches differ, so one ends last
    fail_at(monkeypatch, {1})
    with pytest.raises(InputError, match="not finite"):
        synthesis.synthesize_batch(tiny_network(), [exemplar()] * 3, iterations=3)


def test_batch_that_the_memory_does_not_hold_is_divided(monkeypatch, caplog):
    exemplars = [exemplar(seed=seed) for seed in range(5)]
    whole = synthesis.Objective(tiny_network(), exemplars)
    requests = [(index, noise(seed=index, dtype=torch.float32), 0) for index in range(5)]
    expected = whole.evaluate(requests)
    distances, sizes = synthesis.Objective.distances, []

    def crowded(self, images, which):
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError
        return distances(self, images, which)

    monkeypatch.setattr(synthesis.Objective, "distances", crowded)
    caplog.set_level("INFO")
    divided = synthesis.Objective(tiny_network(), exemplars)
    for _ in range(2):
        for (values, gradient), (wanted, slope) in zip(divided.evaluate(requests), expected, strict=True):
            assert values == pytest.approx(wanted, rel=1e-5)
            torch.testing.assert_close(gradient, slope, rtol=1e-4, atol=1e-5)
    assert sizes == [5, 2, 2, 1, 2, 2, 1]
    assert "going on with 2 images at a time" in caplog.text


def test_batch_of_several_sizes_is_refused():
    with pytest.raises(InputError, match=r"must have one size, not 16x16, 8x8 px; resize them, or list"):
        synthesis.synthesize_batch(tiny_network(), [exemplar(), exemplar(8)])


def test_batch_goes_on_from_its_checkpoints(tmp_path):
    exemplars = [exemplar(seed=seed) for seed in range(2)]
    checkpoints = [tmp_path / f"{i}.pt" for i in range(2)]
    options = {"checkpoints": checkpoints, "checkpoint_every": 5}
    synthesis.synthesize_batch(tiny_network(), exemplars, iterations=10, **options)
    results = synthesis.synthesize_batch(tiny_network(), exemplars, iterations=20, **options)
    assert [len(result.trace) for result in results] == [21, 21]


# ---------------------------------------------------------------- layers, files, bad input


def test_cumulative_layers_are_the_rows_of_a_series():
    series = synthesis.cumulative(tiny_network())
    assert {name: list(network.layers) for name, network in series.items()} == {
        "L1": ["L1"],
        "L2": ["L1", "L2"],
    }


def test_png_holds_its_metadata(tmp_path):
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=2)
    path = tmp_path / "new" / "texture.png"
    synthesis.save_png(path, result.image, result.metadata)
    assert synthesis.read_metadata(path) == result.metadata
    np.testing.assert_allclose(
        synthesis.load_exemplar(path, 16) / 255, result.image.permute(1, 2, 0), atol=0.51 / 255
    )


def test_trace_is_a_table(tmp_path):
    result = synthesis.synthesize(tiny_network(), exemplar(), iterations=2)
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
    arguments = {"exemplar": exemplar(), "iterations": 1} | arguments
    with pytest.raises(InputError, match=message) as caught:
        synthesis.synthesize(tiny_network(), **arguments)
    assert "\n" not in str(caught.value)
