"""The specification curve, drawn."""

import itertools

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, words

from texalign import views
from texalign.figures.multiverse import specification_curve
from texalign.statistics import curve


def made(networks, metrics=7):
    rng = np.random.default_rng(0)
    axes = {
        "normalisation": ["weights", "imagenet"],
        "bn_warmup": [None, 0],
        "clustering": ["gram", "cosine"],
    }
    rows, names = [], []
    for i, values in enumerate(itertools.product(*axes.values())):
        names.append(f"s{i}")
        for network in range(networks):
            about = dict(zip(axes, values, strict=True)) | {"estimator": "nsb", "layer": "L1", "k": 7}
            rows.append(
                {"specification": f"s{i}", "network": f"n{network}", "mi_bits": rng.normal(2)} | about
            )
    best = pd.DataFrame(rows)
    bits = best.pivot(index="specification", columns="network", values="mi_bits").loc[names]
    columns = [f"score_{i}" for i in range(metrics)]
    scores = pd.DataFrame(rng.normal(size=(networks, metrics)), bits.columns, columns)
    found = curve.specification_curve(bits, scores, samples=50)
    choices = best.drop_duplicates("specification").set_index("specification")[list(axes)]
    return best, found, curve.effects(choices, bits, found.correlations)


@pytest.mark.parametrize(("networks", "metrics"), [(12, 7), (4, 1)])
def test_specification_curve(networks, metrics):
    best, found, moved = made(networks, metrics)
    order = views.specifications(best, found.correlations)
    means = order.correlations.mean(axis=1)
    assert means.is_monotonic_increasing
    assert [axis for axis, _ in order.choices] == ["normalisation", "bn_warmup", "clustering"]
    assert order.choices[1][1].keys() == {"0", "none"}
    figure = specification_curve(order, found.mean, found.null, moved)
    assert_legible(figure)
    shown = words(figure)
    assert "BN warm-up: none" in shown
    assert "of the whole curve" in shown
    assert "8 sets of choices" in shown


def test_specification_curve_without_any_score():
    best, found, moved = made(2)
    order = views.specifications(best, found.correlations)
    assert order.bits.mean(axis=1).is_monotonic_increasing
    figure = specification_curve(order, found.mean, found.null, moved)
    assert "no correlation can be computed" in words(figure)
