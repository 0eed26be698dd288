"""Figures of mutual information: the numbers behind them, and that they can be read."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign.figures import information as layers


@pytest.mark.parametrize("networks", [1, 2, 12, 13])
def test_mutual_information_by_layer(networks):
    mi = table(networks, untrained=["resnet18"]).assign(mi_null_bits=0.01, mi_null_std_bits=0.01)
    figure = layers.mutual_information_by_layer(mi.sample(frac=1, random_state=0))
    assert_legible(figure)
    shown = words(figure)
    assert "(bits)" in shown
    assert "H(class) = 5.55 bits" in shown
    assert ("ResNet-18 (untrained)" in shown) == (networks > 2)
    assert len(figure.legends[0].get_texts()) == networks + 1
    heights = np.concatenate([c.lines[0].get_ydata() for c in figure.axes[0].containers])
    np.testing.assert_allclose(sorted(heights), sorted(mi["mi_bits"]))


def test_mutual_information_refuses_mixed_conditions():
    mi = table(2)
    with pytest.raises(ValueError, match="readout"):
        layers.mutual_information_by_layer(
            pd.concat([mi.assign(readout="relu"), mi.assign(readout="linear")])
        )
