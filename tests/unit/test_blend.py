"""Textures between two: their statistics, their ends, and their coordinates."""

import pytest
import torch
from small import blobs, noise, small_network

from texalign import InputError, synthesis
from texalign.synthesis import blend
from texalign.synthesis.losses.paper import Paper
from texalign.synthesis.losses.sliced_wasserstein import SlicedWasserstein

ENDS = (blobs(seed=1), blobs(seed=2))


def objective(coordinates, loss="paper"):
    return blend.BlendObjective(small_network(), ENDS, coordinates, loss)


@pytest.mark.parametrize(
    "loss", ["paper", Paper("balanced"), SlicedWasserstein()], ids=["paper", "balanced", "sliced"]
)
def test_the_ends_are_those_of_each_exemplar(loss):
    names = synthesis.Objective(small_network(), ENDS, loss).names
    ours = objective(blend.between(names, 3), loss)
    image = noise(dtype=torch.float32)
    for index, exemplar in ((0, ENDS[0]), (2, ENDS[1])):
        alone = synthesis.Objective(small_network(), [exemplar], loss).distances(image[None], [0])
        torch.testing.assert_close(ours.distances(image[None], [index]), alone, rtol=1e-4, atol=1e-6)


def test_gram_matrices_between_are_the_mean_of_both():
    ours = objective(blend.between(["L1", "L2"], 3))
    one, other = (synthesis.Objective(small_network(), [end]) for end in ENDS)
    for key in (("L1", 0), ("L2", 0)):
        mean = (one.targets[0][key][0][0] + other.targets[0][key][0][0]) / 2
        torch.testing.assert_close(ours.targets[1][key][0][0], mean)


def test_layers_have_coordinates_of_their_own():
    places = blend.by_layer(["L1", "L2"])
    assert places == [{"L1": 0.0, "L2": 0.0}, {"L1": 1.0, "L2": 0.0}, {"L1": 1.0, "L2": 1.0}]
    ours = objective(places)
    one, other = (synthesis.Objective(small_network(), [end]) for end in ENDS)
    torch.testing.assert_close(ours.targets[1]["L1", 0][0][0], other.targets[0]["L1", 0][0][0])
    torch.testing.assert_close(ours.targets[1]["L2", 0][0][0], one.targets[0]["L2", 0][0][0])


@pytest.mark.parametrize("place", [{"L1": 0.5}, {"L1": 0.5, "L2": 1.5}])
def test_coordinates_that_cannot_be_are_refused(place):
    with pytest.raises(InputError, match=r"blend: L2: .* given; a number from 0 to 1 is needed"):
        objective([place])
