"""The figure of representations: the numbers behind it, and that it can be read."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign.figures import rdms, representations
from texalign.gram.representations import REPRESENTATIONS


@pytest.mark.parametrize("networks", [1, 4, 13])
def test_beside_gram(networks):
    mi = table(networks, untrained=["resnet18"]).assign(gram_mi_bits=lambda rows: rows["mi_bits"], n=5640)
    shown = list(representations.NAMES)
    every = pd.concat(
        mi.assign(representation=name, mi_bits=mi["mi_bits"] + 0.1 * i) for i, name in enumerate(shown)
    )
    every.loc[every["representation"] == "sliced_wasserstein", "n"] = 940
    figure = representations.beside_gram(every)
    assert_legible(figure)
    assert "(940 textures)" in words(figure)
    assert len(figure.legends[0].get_texts()) == len(shown) + 1
    dots = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(sorted(dots), np.repeat(0.1 * np.arange(1, 7), networks))
    assert len(figure.axes) == networks + 1
    heights = {len(axes.lines) for axes in figure.axes[1:]}
    assert heights == {len(shown) + 2}  # and the bound, and the mark of the network


def test_every_representation_has_a_name():
    assert list(representations.NAMES) == list(rdms.COMPARED) == list(REPRESENTATIONS)
