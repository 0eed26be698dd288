"""The loss of several images at once, and what the memory holds."""

import numpy as np
import pytest
import torch
from small import blobs, noise, small_network

from texalign import InputError, synthesis


def test_batch_that_the_memory_does_not_hold_is_divided(monkeypatch, caplog):
    exemplars = [blobs(seed=seed) for seed in range(5)]
    whole = synthesis.Objective(small_network(), exemplars)
    requests = [(index, noise(seed=index, dtype=torch.float32), 0) for index in range(5)]
    expected = whole.evaluate(requests)
    distances, sizes = synthesis.Objective.distances, []

    def crowded(self, images, which):
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError
        return distances(self, images, which)

    monkeypatch.setattr(synthesis.Objective, "distances", crowded)
    caplog.set_level("INFO")
    divided = synthesis.Objective(small_network(), exemplars)
    for _ in range(2):
        for (values, gradient), (wanted, slope) in zip(divided.evaluate(requests), expected, strict=True):
            assert values == pytest.approx(wanted, rel=1e-5)
            torch.testing.assert_close(gradient, slope, rtol=1e-4, atol=1e-5)
    assert sizes == [5, 2, 2, 1, 2, 2, 1]
    assert "going on with 2 images at a time" in caplog.text


def test_batch_of_several_sizes_is_refused():
    with pytest.raises(InputError, match=r"must have one size, not 16x16, 8x8 px; resize them, or list"):
        synthesis.synthesize_batch(small_network(), [blobs(), blobs(8)])


def test_image_larger_than_its_exemplar_is_not_asked_for_borders_within():
    # The small network pads with zeros: statistics of one exemplar are not those of four side by side.
    exemplar = blobs()
    objective = synthesis.Objective(small_network(), [exemplar], "sliced_wasserstein")
    four = objective.normalise(np.tile(exemplar, (2, 2, 1)))
    assert objective.distances(four[None], [0]).sum().item() == pytest.approx(0, abs=1e-9)
    assert objective.distances(four[None, :, 3:, 5:], [0]).sum().item() > 1e-6


def test_targets_of_a_larger_size_follow_a_new_draw():
    objective = synthesis.Objective(small_network(), [blobs()], "sliced_wasserstein")
    (before,) = objective.targets_for((32, 32))
    objective.evaluate([(0, noise(size=32, dtype=torch.float32), 1)])
    (after,) = objective.targets_for((32, 32))
    assert not torch.equal(before["L1", 0][0][0], after["L1", 0][0][0])
