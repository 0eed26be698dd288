"""Sliced Wasserstein distances as distances of rows: against SciPy, and where they are known."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from small import small_network

from texalign.gram import sliced
from texalign.readout import feature_maps


def rows(maps, along, count):
    return sliced.quantiles(torch.as_tensor(maps, dtype=torch.float32), along, count).double().numpy()


def test_one_channel_is_the_distance_of_sorted_values(rng):
    """In one dimension all directions are the same; the distance is that of optimal transport."""
    maps = rng.normal(size=(2, 1, 5, 6))
    a, b = np.sort(maps.reshape(2, -1))
    found = np.linalg.norm(np.diff(rows(maps, sliced.directions(1, 3, 0), 99), axis=0))
    assert found == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), rel=1e-5)
    # SciPy has the distance of power 1, which is the same where one sample is the other, shifted.
    maps = np.stack([maps[0], maps[0] + 0.7])
    found = np.linalg.norm(np.diff(rows(maps, sliced.directions(1, 3, 0), 99), axis=0))
    assert found == pytest.approx(wasserstein_distance(maps[0].ravel(), maps[1].ravel()), rel=1e-4)


def test_a_shift_is_seen_by_its_length_along_each_direction(rng):
    """Analytic: the mean over all directions of (v · u)² is |v|²/N."""
    shift, maps = rng.normal(size=(8, 1, 1)), rng.normal(size=(8, 9, 9))
    along = sliced.directions(8, 4000, 1)
    found = np.linalg.norm(np.diff(rows(np.stack([maps, maps + shift]), along, 20), axis=0))
    assert found == pytest.approx(np.linalg.norm(along.numpy().T @ shift[:, 0, 0]) / np.sqrt(4000), rel=1e-4)
    assert found == pytest.approx(np.linalg.norm(shift) / np.sqrt(8), rel=0.03)


def test_quantiles_near_the_whole_distance(rng):
    maps = np.stack([rng.normal(size=(3, 60, 60)), rng.exponential(size=(3, 60, 60))])
    along = sliced.directions(3, 10, 0)
    whole, quantiles = (np.linalg.norm(np.diff(rows(maps, along, count), axis=0)) for count in (3600, 64))
    assert quantiles == pytest.approx(whole, rel=0.03)
    assert rows(maps, along, 64).shape == (2, 640)


def test_order_of_positions_does_not_show(rng):
    maps = rng.normal(size=(1, 4, 6, 6))
    moved = maps.reshape(1, 4, 36)[:, :, rng.permutation(36)].reshape(maps.shape)
    along = sliced.directions(4, 5, 0)
    np.testing.assert_array_equal(rows(maps, along, 16), rows(moved, along, 16))


def test_directions_are_unit_vectors_of_a_seed():
    along = sliced.directions(6, 50, [3, 1])
    torch.testing.assert_close(along.norm(dim=0), torch.ones(50))
    assert torch.equal(along, sliced.directions(6, 50, [3, 1]))
    assert not torch.equal(along, sliced.directions(6, 50, [3, 2]))


def test_a_batch_is_read_like_any_other(rng):
    network, images = small_network(), rng.integers(0, 256, (3, 16, 16, 3), np.uint8)
    along = {"L1": sliced.directions(6, 4, 0), "L2": sliced.directions(8, 4, 0)}
    found = sliced.of_batch(network, images, "relu", along, 10)
    with torch.no_grad():
        maps = feature_maps(network, network.preprocess(images), "relu")
    for layer, values in found.items():
        np.testing.assert_allclose(values, sliced.quantiles(maps[layer], along[layer], 10), rtol=1e-5)
