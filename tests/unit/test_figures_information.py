"""Figures of mutual information: the numbers behind them, and that they can be read."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign.figures import information as layers


@pytest.mark.parametrize("networks", [1, 2, 12, 13, 27])
def test_mutual_information_by_layer(networks):
    mi = table(networks, untrained=["resnet18"]).assign(mi_null_bits=0.01, mi_null_std_bits=0.01)
    figure = layers.mutual_information_by_layer(mi.sample(frac=1, random_state=0))
    assert_legible(figure)
    shown = words(figure)
    assert "(bits)" in shown
    assert "H(class) = 5.55 bits" in shown
    assert "± 1 posterior s.d." in shown
    assert "shuffled classes ± 2 s.d." in shown
    assert ("ResNet-18 (untrained)" in shown) == (networks > 2)
    assert len(figure.legends[0].get_texts()) == networks + 2
    heights = np.concatenate([c.lines[0].get_ydata() for c in figure.axes[0].containers])
    np.testing.assert_allclose(sorted(heights), sorted(mi["mi_bits"]))


def test_mutual_information_refuses_mixed_conditions():
    mi = table(2)
    with pytest.raises(ValueError, match="readout"):
        layers.mutual_information_by_layer(
            pd.concat([mi.assign(readout="relu"), mi.assign(readout="linear")])
        )


def test_intervals_by_layer():
    mi = table(4).assign(mi_corrected_bits=lambda rows: rows["mi_bits"] + 0.1)
    mi = mi.assign(mi_low_bits=mi["mi_bits"] - 0.1, mi_high_bits=mi["mi_bits"] + 0.2)
    figure = layers.mutual_information_by_layer(mi, intervals=True)
    assert_legible(figure)
    assert "bias-corrected" in words(figure)
    assert "95 % interval" in words(figure)
    points = [c.lines[0].get_ydata() for c in figure.axes[0].containers]
    bars = [
        np.diff(np.array(c.lines[2][0].get_segments())[..., 1], axis=1) for c in figure.axes[0].containers
    ]
    np.testing.assert_allclose(sorted(np.concatenate(points)), sorted(mi["mi_corrected_bits"]))
    np.testing.assert_allclose(np.concatenate(bars), 0.3)


@pytest.mark.parametrize("networks", [1, 13, 27])
def test_information_by_clusters(networks):
    mi = table(networks)
    best = mi.sort_values("mi_bits").drop_duplicates("network", keep="last")
    by_k = mi.merge(pd.DataFrame({"k": range(1, 30)}), how="cross").assign(n_classes=12)
    by_k = by_k.assign(mi_bits=by_k["mi_bits"] * np.log2(by_k["k"]), adjusted_mutual_information=0.3)
    figure = layers.information_by_clusters(by_k, best)
    assert_legible(figure)
    left = figure.axes[0].lines
    assert len(left) == networks + 1  # and the number of classes
    highest = max(line.get_ydata().max() for line in left[:networks])
    assert highest == pytest.approx(best["mi_bits"].max() * np.log2(29))


def test_the_numbers_of_clusters_that_are_asked_for_are_marked():
    mi = table(2)
    best = mi.sort_values("mi_bits").drop_duplicates("network", keep="last")
    by_k = mi.merge(pd.DataFrame({"k": range(1, 41)}), how="cross").assign(n_classes=12)
    by_k = by_k.assign(adjusted_mutual_information=0.3)
    asked = by_k[by_k["k"].isin([12, 20, 30])]
    asked = asked.assign(mi_low_bits=asked["mi_bits"] - 0.1, mi_high_bits=asked["mi_bits"] + 0.2)
    figure = layers.information_by_clusters(by_k, best, asked=asked)
    assert_legible(figure)
    left, right = figure.axes
    for axes in (left, right):
        assert [list(bar.lines[0].get_xdata()) for bar in axes.containers] == [[12, 20, 30]] * 2
    ends = np.array(left.containers[0].lines[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 0.3)
    assert not right.containers[0].lines[2]
    for text in ("as many as classes", "95 % interval"):
        assert text in words(figure)
