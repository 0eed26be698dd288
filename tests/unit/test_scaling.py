"""Maps of distances: exact where a plane holds them."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from texalign.geometry import scaling


def test_points_of_a_plane_come_back(rng):
    points = rng.normal(size=(9, 2))
    distances = squareform(pdist(points))
    for found in (scaling.classical(distances), scaling.plane(distances)[0]):
        np.testing.assert_allclose(squareform(pdist(found)), distances, atol=1e-6)
        np.testing.assert_allclose(found.mean(0), 0, atol=1e-9)
    assert scaling.plane(distances)[1] < 1e-6


def test_stress_is_lowered_and_told(rng):
    points = rng.normal(size=(20, 5))
    distances = squareform(pdist(points))
    start = squareform(pdist(scaling.classical(distances)))
    found, stress = scaling.plane(distances)
    made = squareform(pdist(found))
    assert stress == pytest.approx(np.sqrt(((made - distances) ** 2).sum() / (made**2).sum()))
    assert ((made - distances) ** 2).sum() < ((start - distances) ** 2).sum()
    assert 0.1 < stress < 0.5
    np.testing.assert_array_equal(found, scaling.plane(distances)[0])


def test_few_things_have_a_map_too():
    np.testing.assert_allclose(scaling.plane(np.zeros((1, 1)))[0], [[0, 0]])
    found, _ = scaling.plane(np.array([[0, 2.0], [2, 0]]))
    assert np.linalg.norm(found[0] - found[1]) == pytest.approx(2)


def test_distances_between_correlations_are_those_of_standardized_values(rng):
    rows = rng.normal(size=(4, 50))
    rows = rows - rows.mean(1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = scaling.between_correlations(np.corrcoef(rows))
    np.testing.assert_allclose(found, squareform(pdist(rows)), atol=1e-7)
