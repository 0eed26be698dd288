"""Folded BatchNorm: every read-out stays, and what cannot be folded is left alone."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from architectures import (
    FAMILIES,
    drawn_chain,
    noise,
    own,
    randomise_batchnorm,
    resnet18,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from texalign.fast.fold import fold_batchnorm
from texalign.readout import feature_maps

#: BatchNorms straight behind a convolution that nothing else sees, counted in the architecture: all
#: of them in most; in DenseNet-121 the stem's and the second of each of the 58 dense layers.
FOLDED = {
    **{"resnet18": 20, "vgg16": 13, "mobilenet_v2": 52, "inception_v3": 94, "densenet121": 1 + 58},
    **{"efficientnet_lite0": 49, "alexnet": 0, "squeezenet1_1": 0},
}


def test_folding_leaves_every_readout(family, request):
    network, batch = family
    name = request.node.callspec.params["family"]
    state = {key: value.clone() for key, value in network.module.state_dict().items()}
    kinds = [type(module) for module in network.module.modules()]
    folded = fold_batchnorm(network, FAMILIES[name][1])
    expected = FOLDED[name]
    count = Counter(kinds)[nn.BatchNorm2d] - sum(
        isinstance(module, nn.BatchNorm2d) for module in folded.module.modules()
    )
    assert count == expected
    assert (folded is network) == (expected == 0)
    with torch.no_grad():
        ours, theirs = feature_maps(network, batch), feature_maps(folded, batch)
    for layer, maps in ours.items():
        assert (theirs[layer] - maps).abs().max() < 1e-5 * maps.abs().max()
    # The network that was given is as it was.
    assert [type(module) for module in network.module.modules()] == kinds
    assert all(torch.equal(network.module.state_dict()[key], value) for key, value in state.items())
    assert not any(module.training for module in folded.module.modules())
    assert not any(parameter.requires_grad for parameter in folded.module.parameters())


def test_a_convolution_that_is_read_is_not_folded():
    network = resnet18("conv1", "bn1", "layer1.0.conv2", "layer2.0.bn1")
    randomise_batchnorm(network.module)
    folded = fold_batchnorm(network, 64)
    kept = [name for name, m in folded.module.named_modules() if isinstance(m, nn.BatchNorm2d)]
    assert kept == ["bn1", "layer1.0.bn2"]
    batch = noise(64)
    with torch.no_grad():
        ours, theirs = feature_maps(network, batch), feature_maps(folded, batch)
    for layer, maps in ours.items():
        torch.testing.assert_close(theirs[layer], maps, rtol=1e-4, atol=1e-5 * float(maps.abs().max()))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.conv(x)
        return self.bn(x) if x.mean() > 0 else self.bn(-x)


class TwoConsumers(Branching):
    def forward(self, x):
        x = self.conv(x)
        return self.bn(x) + x


class Shared(Branching):
    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(4, 4, 3)

    def forward(self, x):
        return self.bn(self.second(self.bn(self.conv(x))))


class Nested(Branching):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(self.conv)

    def forward(self, x):
        return self.bn(self.stem(x))


class StandardisedConv(nn.Conv2d):
    def forward(self, x):
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight / weight.std((1, 2, 3), keepdim=True), self.bias)


class NormAndRelu(nn.BatchNorm2d):
    def forward(self, x):
        return F.relu(super().forward(x))


class ByKeyword(Branching):
    def forward(self, x):
        return self.bn(input=self.conv(input=x))


@pytest.mark.parametrize(
    ("module", "layers"),
    [
        (Branching(), ["bn"]),  # cannot be traced
        (TwoConsumers(), ["bn"]),
        (Shared(), ["second"]),
        (Nested(), ["stem", "bn"]),  # the container's output is the convolution's
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)), ["1"]),
        (nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)), ["1"]),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)), ["2"]),
        (nn.Sequential(nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4)), ["1"]),
        (nn.Sequential(StandardisedConv(3, 4, 3), nn.BatchNorm2d(4)), ["1"]),
        (nn.Sequential(nn.Conv2d(3, 4, 3), NormAndRelu(4)), ["1"]),
    ],
)
def test_what_cannot_be_folded_is_returned_as_it_is(module, layers):
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    if all(norm.track_running_stats for norm in norms):
        randomise_batchnorm(module)
    network = own(module, *layers)
    assert fold_batchnorm(network, 16) is network


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("groups", [1, 3])
def test_kinds_of_convolution_fold(bias, affine, groups):
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, 2, bias=bias, groups=groups, padding=1, padding_mode="reflect"),
        nn.BatchNorm2d(6, affine=affine, eps=0.1),
    )
    module[1].running_mean.normal_()
    module[1].running_var.uniform_(0.1, 3)
    network = own(module, "1")
    folded = fold_batchnorm(network, 16)
    assert isinstance(folded.module[1], nn.Identity)
    batch = noise(16)
    torch.testing.assert_close(folded.module(batch), network.module(batch), rtol=1e-5, atol=1e-5)


def test_arguments_by_keyword_fold():
    network = own(randomise_batchnorm(ByKeyword()), "bn")
    assert isinstance(fold_batchnorm(network, 16).module.bn, nn.Identity)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_chain_of_modules_folds_to_what_is_computed_by_hand(data):
    network, batch, expected = drawn_chain(data)
    with torch.no_grad():
        folded = feature_maps(fold_batchnorm(network, 6), batch)
    for layer, name in network.layers.items():
        torch.testing.assert_close(folded[layer], expected[name], rtol=1e-4, atol=1e-4)


def test_what_was_done_is_told_and_nothing_else():
    network = own(randomise_batchnorm(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))), "1")
    network = replace(network, weights="mine.pth", changes=("average pooling",))
    folded = fold_batchnorm(network, 16)
    assert folded.changes == ("average pooling", "1 BatchNorm layers folded")
    assert folded.weights == "mine.pth"
    assert fold_batchnorm(folded, 16) is folded  # nothing is left to fold
