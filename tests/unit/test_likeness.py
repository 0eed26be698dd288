"""Diversity, and the memory of the exemplar."""

import math

import numpy as np
import pytest
from small import blobs

from texalign.synthesis import likeness


def test_diversity_is_the_mean_distance_of_pairs():
    images = [np.full((4, 4, 3), level, np.uint8) for level in (0, 10, 40)]
    assert likeness.diversity(images) == pytest.approx((10 + 40 + 30) / 3)
    assert math.isnan(likeness.diversity(images[:1]))


def test_a_copy_is_found_and_another_texture_is_none():
    exemplar = blobs(64, seed=1)
    shifted = np.roll(exemplar, (5, 3), (0, 1))
    copy, other = likeness.memory(exemplar, shifted), likeness.memory(exemplar, blobs(64, seed=2))
    assert copy["copied_patch"] == 16
    assert copy["nearest_patch"] < 0.3
    assert other["copied_patch"] == 0
    assert other["nearest_patch"] > 0.4
    assert likeness.memory(exemplar, exemplar[:30, :30])["copied_patch"] == 16  # of another size


def test_cells_are_means():
    image = blobs(16, seed=3)
    rows = likeness._cells(image, np.array([2, 5]), np.array([1, 7]), 8).reshape(2, 4, 4, 3)
    for found, (y, x) in zip(rows, [(2, 1), (5, 7)], strict=True):
        part = image[y : y + 8, x : x + 8].astype(float).reshape(4, 2, 4, 2, 3).mean((1, 3))
        np.testing.assert_allclose(found, part)


def test_a_constant_exemplar_has_no_unit():
    flat = np.full((32, 32, 3), 7, np.uint8)
    assert math.isnan(likeness.memory(flat, flat)["nearest_patch"])
