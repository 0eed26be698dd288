"""The optimisers on a small network: bounds, checkpoints, restarts, and several images in step."""

import math

import pytest
import torch
from small import blobs, noise, small_network

from texalign import InputError, synthesis
from texalign.synthesis import descent, losses
from texalign.synthesis.losses.sliced_wasserstein import SlicedWasserstein


def test_bounded_gradient_agrees_with_finite_differences():
    objective = synthesis.Objective(small_network(torch.float64), [blobs()])
    one = descent.Descent(0, noise(), objective, descent.Settings(bounds=True))
    one.ask = lambda *request: objective.evaluate([request])[0]
    here, step = one.point.clone(), 1e-6
    one._closure()
    slope = float((one.point.grad * noise(seed=7)).sum())
    ahead, behind = (
        one.point.copy_(here + s * step * noise(seed=7)) is None or one._closure() for s in (1, -1)
    )
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam"},
        {"bounds": False},
        {"loss": SlicedWasserstein(redraw_every=8), "history": 3},
    ],
    ids=["lbfgs", "adam", "bounds", "sliced_wasserstein"],
)
@pytest.mark.parametrize("killed_at", [13, 29])
def test_killed_job_goes_on_and_ends_with_the_same_bits(tmp_path, monkeypatch, options, killed_at):
    options = {"iterations": 30, "checkpoint_every": 5} | options
    undisturbed = synthesis.synthesize(small_network(), blobs(), **options)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    advance = descent.Descent._advance

    def die(one):
        if one.step == killed_at:
            raise KeyboardInterrupt
        return advance(one)

    with monkeypatch.context() as patch:
        patch.setattr(descent.Descent, "_advance", die)
        with pytest.raises(KeyboardInterrupt):
            synthesis.synthesize(small_network(), blobs(), checkpoint=checkpoint, **options)
    resumed = synthesis.synthesize(small_network(), blobs(), checkpoint=checkpoint, **options)
    assert torch.equal(resumed.image, undisturbed.image)
    for ours, theirs in zip(resumed.trace, undisturbed.trace, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"seed": 1}, "seed"), ({"history": 7}, "settings"), ({"loss": "mean_std"}, "loss_function")],
)
def test_checkpoint_of_other_settings_is_not_gone_on_with(tmp_path, caplog, changed, named):
    path = tmp_path / "checkpoint.pt"
    options = {"iterations": 10, "checkpoint_every": 5}
    synthesis.synthesize(small_network(), blobs(), checkpoint=path, **options)
    fresh = synthesis.synthesize(small_network(), blobs(), **options, **changed)
    result = synthesis.synthesize(small_network(), blobs(), checkpoint=path, **options, **changed)
    assert torch.equal(result.image, fresh.image)
    assert f"made with other {named};" in caplog.text


def test_a_longer_run_goes_on_from_the_checkpoint_of_a_shorter_one(tmp_path, caplog):
    path = tmp_path / "checkpoint.pt"
    synthesis.synthesize(small_network(), blobs(), checkpoint=path, iterations=10, checkpoint_every=5)
    caplog.set_level("INFO")
    longer = synthesis.synthesize(
        small_network(), blobs(), checkpoint=path, iterations=20, checkpoint_every=9
    )
    assert "going on after step 10" in caplog.text
    assert torch.equal(longer.image, synthesis.synthesize(small_network(), blobs(), iterations=20).image)


def test_a_damaged_checkpoint_is_not_gone_on_with(tmp_path, caplog):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"torn")
    result = synthesis.synthesize(small_network(), blobs(), checkpoint=path, iterations=10)
    assert "cannot be read" in caplog.text
    assert torch.equal(result.image, synthesis.synthesize(small_network(), blobs(), iterations=10).image)


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
    result = synthesis.synthesize(small_network(), blobs(), iterations=100, optimizer=optimizer)
    notes = [row["note"] for row in result.trace if row["note"]]
    assert notes == ["loss not finite; restarted from the best image"] * 2
    assert result.metadata["restarts"] == 2
    assert result.metadata["loss"] < 0.1 * result.metadata["initial_loss"]
    assert result.image.isfinite().all()


def test_nan_stops_after_the_allowed_restarts(monkeypatch):
    fail_at(monkeypatch, set(range(10, 1000)))
    result = synthesis.synthesize(small_network(), blobs(), iterations=100, optimizer="adam", restarts=3)
    assert result.trace[-1]["note"] == "loss not finite; stopped after 3 restarts"
    assert result.metadata["steps"] < 20
    assert result.image.isfinite().all()


def test_stalled_line_search_restarts_then_stops():
    # Run into rounding: no lower loss can be found.
    result = synthesis.synthesize(small_network(), blobs(), iterations=3000, history=20, layers=["L1"])
    assert result.trace[-1]["note"].startswith("line search stalled; stopped after")
    assert result.metadata["loss"] < 1e-9 * result.metadata["initial_loss"]


def test_nan_at_once_is_an_error(monkeypatch):
    fail_at(monkeypatch, {1})
    with pytest.raises(InputError, match="not finite for the initial image"):
        synthesis.synthesize(small_network(), blobs(), iterations=3)


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_batch_begins_as_single_runs_do(monkeypatch, loss):
    exemplars, seeds, options = [blobs(seed=seed) for seed in range(3)], [4, 5, 6], {"iterations": 40}
    evaluate, said = descent.Descent._evaluate, {}

    def listen(one):
        answer = evaluate(one)
        said.setdefault(one.identity["seed"], []).append(answer.loss)
        return answer

    monkeypatch.setattr(descent.Descent, "_evaluate", listen)
    batch = synthesis.synthesize_batch(small_network(), exemplars, loss, seeds, **options)
    together = dict(said)
    said.clear()
    for one, example, seed in zip(batch, exemplars, seeds, strict=True):
        single = synthesis.synthesize(small_network(), example, loss, seed, **options)
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
    synthesis.synthesize_batch(small_network(), [blobs()] * 3, seeds=[0, 1, 2], iterations=40, bounds=False)
    assert sizes[0] == [0, 1, 2]
    assert all(indices == sorted(indices) for indices in sizes)
    assert sizes[-1] != [0, 1, 2]  # line searches differ, so one ends last
    fail_at(monkeypatch, {1})
    with pytest.raises(InputError, match="not finite"):
        synthesis.synthesize_batch(small_network(), [blobs()] * 3, iterations=3)


def test_batch_goes_on_from_its_checkpoints(tmp_path):
    exemplars = [blobs(seed=seed) for seed in range(2)]
    checkpoints = [tmp_path / f"{i}.pt" for i in range(2)]
    options = {"checkpoints": checkpoints, "checkpoint_every": 5}
    synthesis.synthesize_batch(small_network(), exemplars, iterations=10, **options)
    results = synthesis.synthesize_batch(small_network(), exemplars, iterations=20, **options)
    assert [len(result.trace) for result in results] == [21, 21]
