"""Figures of people beside networks: the numbers behind them, and that they can be read."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign.figures import decoding, human, references


def agreement(networks, refs):
    """Rows of `human.csv`; a reference of choices has one level, a third by chance."""
    rows = table(networks, untrained=["resnet18"]).assign(score=lambda rows: rows["mi_bits"] / 5)
    classes = rows.iloc[:1].assign(network="classes", label="Class identity", family="classes", score=0.7)
    every = pd.concat([rows, classes])
    every = every.assign(ceiling=0.8, ceiling_low=0.5, ceiling_high=0.9)
    parts = [
        every.assign(reference=reference, words=word, level=level)
        for reference, word in refs
        for level in (("image",) if word == "choices" else ("image", "class"))
    ]
    return pd.concat(parts, ignore_index=True)


WORDS = [("people", "all words"), ("people", "no class words")]


@pytest.mark.parametrize(
    ("networks", "refs"),
    [(1, [("odd", "choices")]), (13, [*WORDS, ("mine", "similarities"), ("odd", "choices")])],
)
def test_agreement_by_layer(networks, refs):
    figure = human.agreement_by_layer(agreement(networks, refs), labels={"people": "Descriptions of $x$"})
    assert_legible(figure)
    said = words(figure)
    assert "people's own agreement" in said
    assert ("Share predicted" in said) == any(word == "choices" for _, word in refs)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == sum(1 if word == "choices" else 2 for _, word in refs)
    for axes in shown:
        levels = [line.get_ydata()[0] for line in axes.lines[networks:]]
        choices = axes.get_ylabel() == "Share predicted"
        assert levels == pytest.approx([0.9, 0.7, 1 / 3] if choices else [0.8, 0.7, 0])


@pytest.mark.parametrize("networks", [1, 13])
def test_beside_people(networks):
    rows = table(networks, untrained=["resnet18"]).sort_values("mi_bits")
    rows = rows.drop_duplicates("network", keep="last")
    rows = rows.assign(module="bn1", what="network", selection="best")
    fixed = rows.assign(selection="fixed", mi_bits=rows["mi_bits"] - 0.1)
    other = rows.iloc[[0] * 4].assign(
        what=["people", "people", "images", "images"],
        label=["Descriptions", "Descriptions", "Pixels", "Colours"],
        module=["all words", "no class words", "pixels", "colour_histogram"],
        selection="",
        mi_bits=[4.0, 2.2, 0.3, 0.4],
    )
    every = pd.concat([rows, fixed, other], ignore_index=True)
    every = every.assign(mi_corrected_bits=every["mi_bits"], mi_low_bits=every["mi_bits"] - 0.1)
    every = every.assign(mi_high_bits=every["mi_bits"] + 0.1)
    figure = references.beside_people(every)
    assert_legible(figure)
    for text in ("Descriptions: no class words", "Pixels", "H(class) = 5.55 bits", "AlexNet, L5"):
        assert text in words(figure)
    (axes,) = figure.axes
    dots = sorted(bar.lines[0].get_xdata()[0] for bar in axes.containers)
    np.testing.assert_allclose(dots, sorted([*rows["mi_bits"], 4.0, 2.2, 0.3, 0.4]))
    crosses = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_allclose(sorted(crosses), sorted(fixed["mi_bits"]))


def test_baselines_are_lines_beside_networks():
    rows = table(3).assign(accuracy=0.5, accuracy_low=0.4, accuracy_high=0.6, chance=0.1)
    image = rows.iloc[:1].assign(network="pixels", label="Pixels", family="images", accuracy=0.3)
    figure = decoding.accuracy_by_layer(pd.concat([rows, image]))
    assert_legible(figure)
    assert "Pixels" in words(figure)
    assert 0.3 in [line.get_ydata()[0] for line in figure.axes[0].lines]
    assert len(figure.axes[0].containers) == 3
