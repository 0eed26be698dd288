"""Figures of synthetic textures: what they show, and that a reader can read them."""

import numpy as np
import pandas as pd
import pytest
from legible import POOL, assert_legible, words

from texalign.figures import synthesis


def images(rows, columns, shape=(24, 24)):
    rng = np.random.default_rng(0)
    return [[rng.integers(0, 256, (*shape, 3), np.uint8) for _ in range(columns)] for _ in range(rows)]


@pytest.mark.parametrize(
    ("rows", "columns", "shape"), [(1, 1, (24, 24)), (13, 5, (24, 24)), (3, 8, (20, 40))]
)
def test_texture_grid(rows, columns, shape):
    labels = ["Original", *(f"{label} (untrained)" for _, label, _ in POOL)][:rows]
    names = [f"texture_{i:04d}" for i in range(columns)]
    figure = synthesis.texture_grid(images(rows, columns, shape), labels, names)
    assert_legible(figure)
    assert len(figure.axes) == rows * columns
    assert all(name in words(figure) for name in names)


def traces(networks, textures=2, seeds=2):
    steps = np.arange(20)
    frames = []
    for key, label, family in POOL[:networks]:
        row = {"network": key, "label": label, "family": family, "weights": "untrained"}
        for texture in range(textures):
            for seed in range(seeds):
                loss = 10.0 ** (3 - steps / 4) + seed
                frames.append(
                    pd.DataFrame({"evaluations": steps, "loss": loss}).assign(
                        texture=f"texture_{texture}", run=f"seed{seed}/", **row
                    )
                )
    return pd.concat(frames)


@pytest.mark.parametrize(("networks", "textures"), [(1, 1), (3, 2), (13, 5)])
def test_loss_curves(networks, textures):
    figure = synthesis.loss_curves(traces(networks, textures))
    assert_legible(figure)
    lines = [line for axes in figure.axes for line in axes.lines]
    assert len(lines) == networks * textures * 2
    assert all(line.get_ydata()[0] == 1 for line in lines)
    assert words(figure).count("(untrained)") == networks


def test_a_loss_of_zero_is_left_out():
    table = traces(1, 1, 1)
    table.loc[table.index[-1], "loss"] = 0.0
    (axes,) = synthesis.loss_curves(table).axes
    assert np.isnan(axes.lines[0].get_ydata()[-1])


def timed(networks, textures):
    table = traces(networks, textures)
    return table.assign(seconds=table["evaluations"] / 7)


@pytest.mark.parametrize(("networks", "textures"), [(1, 1), (3, 2), (13, 5)])
def test_loss_over_time(networks, textures):
    """A level line of each texture and network that has a generator, at the lowest of its looks."""
    looks = [
        {"texture": f"texture_{texture}", "network": key, "held_out_loss": loss}
        for texture in range(textures)
        for key, _, _ in POOL[:networks]
        for loss in (3.0, 0.25, 0.5, np.nan)
    ]
    figure = synthesis.loss_over_time(timed(networks, textures), pd.DataFrame(looks))
    assert_legible(figure)
    for axes in figure.axes[:textures]:
        levels = [line for line in axes.lines if line.get_marker() == "None"]
        falling = [line for line in axes.lines if line not in levels]
        assert [list(line.get_ydata()) for line in levels] == [[0.25, 0.25]] * networks
        assert len(falling) == 2 * networks
        assert {line.get_color() for line in levels} <= {line.get_color() for line in falling}
        # The first step took no time, and has no place on the axis.
        assert all(np.isnan(line.get_xdata()[0]) for line in falling)
        assert all((np.diff(line.get_ydata()) <= 0).all() for line in falling)
        assert axes.get_xscale() == axes.get_yscale() == "log"
    assert words(figure).count("samples of a generator") == 1


@pytest.mark.parametrize("textures", [1, 4])
def test_rivals(textures):
    looks = pd.DataFrame({"iteration": [1, 50, 100], "judge_loss": [1.4, 0.7, 0.3]}).assign(generator_loss=2)
    table = pd.concat([looks.assign(texture=f"texture_{number}") for number in range(textures)])
    figure = synthesis.rivals(table)
    assert_legible(figure)
    for axes in figure.axes[:textures]:
        shown = [list(line.get_ydata()) for line in axes.lines if line.get_marker() != "None"]
        assert shown == [[2, 2, 2], [1.4, 0.7, 0.3]]
        assert axes.get_ylim()[0] == 0


def score_table(networks, textures=2, baseline=False):
    rng, rows = np.random.default_rng(0), []
    keys = [key for key, _, _ in POOL[:networks]]
    for texture in range(textures):
        for judge in keys:
            for maker in [*keys, *(["portilla_simoncelli"] if baseline else [])]:
                own = maker == judge
                rows.append(
                    {"texture": f"texture_{texture}", "network": maker, "seed": 0, "scored_by": judge}
                    | {"loss": (1e-2 if own else 50) * rng.uniform(0.5, 2)}
                    | {"initial_loss": 1e5 if own else np.nan, "halves_loss": 1.0, "class_loss": 300.0}
                )
    labels = {key: label for key, label, _ in POOL} | {"portilla_simoncelli": "Portilla-Simoncelli"}
    return pd.DataFrame(rows), labels


@pytest.mark.parametrize(("networks", "baseline"), [(1, False), (2, True), (13, True)])
def test_scores(networks, baseline):
    table, labels = score_table(networks, baseline=baseline)
    figure = synthesis.scores(table, labels)
    assert_legible(figure)
    matrix = np.asarray(figure.axes[0].images[0].get_array())
    assert matrix.shape == (networks + baseline, networks)
    expected = table.assign(m=np.log10(table["loss"] / table["halves_loss"]))
    first = expected[(expected["network"] == "alexnet") & (expected["scored_by"] == "alexnet")]["m"].median()
    assert matrix[0, 0] == pytest.approx(first)
    assert "halves of the exemplar" in words(figure)


def test_scores_without_references():
    table, labels = score_table(2)
    table = table.assign(halves_loss=np.nan, class_loss=np.nan)
    figure = synthesis.scores(table, labels)
    assert_legible(figure)
    assert "halves of the exemplar" not in words(figure)
