"""Figures of clusters."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, words

from texalign.figures.clusters import class_recovery, cluster_composition, contact_sheet, typical_images


@pytest.mark.parametrize(("classes", "clusters"), [(2, 2), (12, 30), (47, 47)])
def test_cluster_composition(rng, classes, clusters):
    counts = rng.poisson(2, (classes, clusters))
    counts[:, 0] = 0  # a cluster may be empty
    counts[:, 1] += 1
    figure = cluster_composition(counts, [f"class {i}" for i in range(classes)], "VGG-19, L5")
    assert_legible(figure)
    above, axes = figure.axes[:2]
    assert axes.images[0].get_array().sum() == pytest.approx(classes)
    assert sorted(bar.get_height() for bar in above.patches) == sorted(counts.sum(0))
    numbers = [tick.get_text() for tick in axes.get_xticklabels()]
    if len(numbers) == clusters:  # else some found no room
        sizes = [counts.sum(0)[int(number)] for number in numbers]
        assert [bar.get_height() for bar in above.patches] == sizes


@pytest.mark.parametrize("clusters", [2, 47])
def test_contact_sheet(rng, clusters):
    images = rng.integers(0, 256, (12, 40, 40, 3), np.uint8)
    rows = [(f"{i + 1}: crosshatched, 3 of {i}", images[: 1 + i % 12]) for i in range(clusters)]
    figure = contact_sheet(rows, "VGG-19, L5: clusters")
    assert_legible(figure)
    shown = words(figure)
    assert all(f"{i + 1}: crosshatched, 3 of {i}" in shown for i in range(clusters))
    pictures = [axes.images[0].get_array() for axes in figure.axes]
    assert len({picture.shape for picture in pictures}) == 1


@pytest.mark.parametrize(("classes", "networks"), [(2, 1), (47, 13)])
def test_class_recovery(rng, classes, networks):
    shares = rng.uniform(size=(classes, networks))
    names = [f"class {i}" for i in range(classes)]
    figure = class_recovery(pd.DataFrame(shares, index=names), [f"Network-{i}" for i in range(networks)])
    assert_legible(figure)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), shares)


@pytest.mark.parametrize("classes", [2, 13, 47])
def test_typical_images(rng, classes):
    images = rng.integers(0, 256, (6, 40, 40, 3), np.uint8)
    rows = [(f"class {i}", images[:3], images[3:]) for i in range(classes)]
    figure = typical_images(rows, "VGG-19, L5")
    assert_legible(figure)
    shown = words(figure)
    assert shown.count("atypical") == (2 if classes > 12 else 1)
    assert all(f"class {i}" in shown for i in range(classes))
