"""Figures of clusters."""

import pytest
from legible import assert_legible

from texalign.figures.clusters import cluster_composition


@pytest.mark.parametrize(("classes", "clusters"), [(2, 2), (12, 30), (47, 47)])
def test_cluster_composition(rng, classes, clusters):
    counts = rng.poisson(2, (classes, clusters))
    counts[:, 0] = 0  # a cluster may be empty
    counts[:, 1] += 1
    figure = cluster_composition(counts, [f"class {i}" for i in range(classes)], "VGG-19, L5")
    assert_legible(figure)
    assert figure.axes[0].images[0].get_array().sum() == pytest.approx(classes)
