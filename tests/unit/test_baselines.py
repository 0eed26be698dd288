"""Images without a network: rows that are known."""

import numpy as np
import pytest
from small import blobs

from texalign.images import baselines
from texalign.plan import people
from texalign.synthesis import portilla_simoncelli


def test_pixels_are_means_of_squares():
    image = np.zeros((2, 128, 128, 3), np.uint8)
    image[0, :2, :2, 0] = [[0, 40], [80, 120]]
    rows = baselines.pixels(image)
    assert rows.shape == (2, 64 * 64 * 3)
    assert rows[0, 0] == pytest.approx(60 / 255)
    assert np.count_nonzero(rows) == 1
    small = np.stack([blobs(32, seed=i) for i in range(2)])
    np.testing.assert_array_equal(baselines.pixels(small), small.reshape(2, -1).astype(np.float32) / 255)


def test_colour_histograms_are_shares():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, 0] = (255, 0, 40)
    (row,) = baselines.colour_histogram(image) ** 2
    assert row[0] == pytest.approx(12 / 16)
    assert row[7 * 64 + 1] == pytest.approx(4 / 16)
    assert row.sum() == pytest.approx(1)
    images = np.stack([blobs(16, seed=i) for i in range(3)])
    rows = baselines.colour_histogram(images).reshape(3, 8, 8, 8) ** 2
    for own, found in zip(images, rows, strict=True):
        expected = np.histogramdd(own.reshape(-1, 3), bins=8, range=[(0, 256)] * 3)[0]
        np.testing.assert_allclose(found, expected / 256, atol=1e-6)
    shuffled = images.reshape(3, -1, 3)[:, np.random.default_rng(0).permutation(256)].reshape(images.shape)
    np.testing.assert_array_equal(baselines.colour_histogram(shuffled), baselines.colour_histogram(images))


def test_statistics_of_different_units_count_alike(rng):
    rows = rng.normal(size=(50, 4)) * [1e6, 1, 1e-6, 0] + 3.3
    found = baselines.standardised(rows)
    assert found.shape == (50, 3)  # a constant says nothing
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(0), 1, rtol=1e-5)


def test_every_baseline_has_a_name():
    assert set(people.BASELINES) == {*baselines.PLAIN, "portilla_simoncelli"}


@pytest.mark.filterwarnings("default")  # other people's package
@pytest.mark.skipif(not portilla_simoncelli.is_available(), reason="plenoptic is not installed")
def test_statistics_forget_where_things_are():
    """Of an image moved around a circle, and of another one."""
    first, other = blobs(64, seed=0), blobs(64, seed=5)
    moved = np.roll(first, (16, 32), axis=(0, 1))
    rows = portilla_simoncelli.statistics(np.stack([first, moved, other]))
    assert np.isfinite(rows).all()
    same, different = (np.abs(rows[0] - row).max() for row in rows[1:])
    assert same < 0.01 * different
    stripes = np.repeat(np.arange(64)[:, None] // 8 % 2 * 255, 64, axis=1)[..., None].repeat(3, 2)
    even, flat = portilla_simoncelli.statistics(np.stack([stripes, 0 * stripes]).astype(np.uint8))
    assert np.isfinite(even).all()
    assert np.isfinite(flat).all()
    single = portilla_simoncelli.statistics(first[None])
    np.testing.assert_allclose(single[0], rows[0], rtol=1e-9, atol=1e-12)
