"""The network of Gatys et al.: average pooling, and filters with a mean activation of 1."""

import numpy as np
import pytest
import torch
from small import blobs, seeded, small_network
from torch import nn

from texalign import InputError, store
from texalign.readout import feature_maps
from texalign.synthesis import gatys_network


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )

    def forward(self, images):
        return self.features(images)


def chain_network():
    return seeded(Chain, "features.0", "features.5")


def test_network_averages_and_gives_every_filter_a_mean_of_1():
    network = chain_network()
    averaging = gatys_network.prepare(network)
    assert isinstance(network.module.features[2], nn.MaxPool2d)
    assert [type(averaging.module.features[i]) for i in (2, 5)] == [nn.AvgPool2d] * 2
    images = np.stack([blobs(seed=seed) for seed in range(4)])
    means = gatys_network.mean_activations(averaging, [images[:3], images[3:]])
    scaled = gatys_network.prepare(averaging, means)
    assert scaled.changes == ("average pooling", "filters scaled to a mean activation of 1")
    assert scaled.weights == "small"
    for name, mean in gatys_network.mean_activations(scaled, [images]).items():
        alive = means[name] > 0
        torch.testing.assert_close(mean[alive], torch.ones_like(mean[alive]), rtol=1e-5, atol=0)
    before = feature_maps(averaging, averaging.preprocess(images), "relu")["L2"]
    after = feature_maps(scaled, scaled.preprocess(images), "relu")["L2"]
    divisor = torch.where(means["3"] > 0, means["3"], 1)[:, None, None]
    torch.testing.assert_close(after, before / divisor)


def test_network_refuses_branches():
    with pytest.raises(InputError, match=r"a chain of convolutions"):
        gatys_network.prepare(small_network())


def test_network_is_prepared_from_saved_activations_at_once(tmp_path):
    network, images = chain_network(), np.stack([blobs(seed=seed) for seed in range(4)])
    averaging = gatys_network.prepare(network)
    means = gatys_network.mean_activations(averaging, [images])
    with store.create_h5(tmp_path / "means.h5") as file:
        for name, values in means.items():
            file[name] = values.numpy()
    at_once = gatys_network.prepare(network, gatys_network.read_activations(tmp_path / "means.h5"))
    in_turn = gatys_network.prepare(averaging, means)
    assert at_once.changes == in_turn.changes
    for ours, theirs in zip(at_once.module.parameters(), in_turn.module.parameters(), strict=True):
        assert torch.equal(ours, theirs)
