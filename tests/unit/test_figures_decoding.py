"""The figure of decoding: the numbers behind it, and that it can be read."""

import numpy as np
import pytest
from legible import assert_legible, table, words

from texalign.figures import decoding


@pytest.mark.parametrize("networks", [1, 13])
def test_accuracy_by_layer(networks):
    accuracy = table(networks, untrained=["resnet18"]).assign(accuracy=lambda rows: rows["mi_bits"] / 4)
    accuracy = accuracy.assign(accuracy_low=accuracy["accuracy"] - 0.05, accuracy_high=1, chance=1 / 47)
    figure = decoding.accuracy_by_layer(accuracy.sample(frac=1, random_state=0))
    assert_legible(figure)
    assert "commonest label" in words(figure)
    assert "95 % interval" in words(figure)
    assert len(figure.legends[0].get_texts()) == networks + 2
    bars = figure.axes[0].containers
    heights = np.concatenate([bar.lines[0].get_ydata() for bar in bars])
    np.testing.assert_allclose(sorted(heights), sorted(accuracy["accuracy"]))
    ends = np.concatenate([np.array(bar.lines[2][0].get_segments())[:, 1, 1] for bar in bars])
    np.testing.assert_allclose(ends, 1)
