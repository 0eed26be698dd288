"""Read-outs: the same on every architecture, in one pass, and faults in one line."""

import contextlib
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from architectures import (
    SHAPES,
    TABLE,
    drawn_chain,
    noise,
    on_meta,
    own,
    refusal,
    resnet18,
    untrained,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from texalign.readout import READOUTS, feature_maps, layer_shapes, list_modules, read


@contextlib.contextmanager
def out_of_place(module, monkeypatch):
    """Make every activation of a network leave its input alone."""
    touched = [m for m in module.modules() if getattr(m, "inplace", False)]
    relu = F.relu
    with monkeypatch.context() as patch:
        patch.setattr(F, "relu", lambda x, inplace=False: relu(x))
        for m in touched:
            m.inplace = False
        yield len(touched)
        for m in touched:
            m.inplace = True


def reference_maps(network, batch):
    """Feature maps by a full pass, cloned by plain hooks: call it `out_of_place`."""
    maps = {}

    def keep(layer):
        def hook(_module, _inputs, output):
            assert layer not in maps
            maps[layer] = output.clone()

        return hook

    handles = [
        network.module.get_submodule(name).register_forward_hook(keep(layer))
        for layer, name in network.layers.items()
    ]
    network.module(batch)
    for handle in handles:
        handle.remove()
    return maps


def test_linear_is_the_modules_own_output_and_relu_its_positive_part(family, monkeypatch):
    network, batch = family
    with torch.no_grad():
        with out_of_place(network.module, monkeypatch):
            expected = reference_maps(network, batch)
        linear = feature_maps(network, batch, "linear")
        relu = feature_maps(network, batch, "relu")
    assert list(linear) == list(relu) == list(network.layers)
    for layer, maps in expected.items():
        assert maps.min() < 0 < maps.max()  # or this test would not see a rectified one
        assert torch.equal(linear[layer], maps)
        assert torch.equal(relu[layer], maps.clamp(min=0))


@pytest.mark.parametrize("readout", READOUTS)
def test_recorded_gradients_do_not_change_the_readout(family, monkeypatch, readout):
    network, batch = family

    def loss(maps):
        return sum(m.square().mean() for m in maps.values())

    with out_of_place(network.module, monkeypatch):
        leaf = batch.clone().requires_grad_()
        expected = reference_maps(network, leaf)
        if readout == "relu":
            expected = {layer: maps.clamp(min=0) for layer, maps in expected.items()}
        (gradient,) = torch.autograd.grad(loss(expected), leaf)
    leaf = batch.clone().requires_grad_()
    maps = feature_maps(network, leaf, readout)
    for layer, expected_maps in expected.items():
        assert torch.equal(maps[layer], expected_maps)
    loss(maps).backward()
    assert gradient.abs().max() > 0
    torch.testing.assert_close(leaf.grad, gradient, rtol=1e-4, atol=1e-6 * float(gradient.abs().max()))


def calls_of(network, run):
    """Names of the innermost modules that a pass calls, in order."""
    called = []
    handles = [
        module.register_forward_pre_hook(lambda _module, _inputs, name=name: called.append(name))
        for name, module in network.module.named_modules()
        if not list(module.children())
    ]
    run()
    for handle in handles:
        handle.remove()
    return called


def test_one_pass_that_stops_behind_the_deepest_layer(family):
    network, batch = family
    with torch.no_grad():
        whole = calls_of(network, lambda: network.module(batch))
        read = calls_of(network, lambda: feature_maps(network, batch))
    # Each module once, in the network's own order, and nothing behind the last layer.
    last = max(i for i, name in enumerate(whole) if name in network.layers.values())
    assert read == whole[: last + 1]
    assert len(read) < len(whole)


def test_evaluation_mode_and_statistics_survive_a_pass(family):
    network, batch = family
    before = {key: value.clone() for key, value in network.module.state_dict().items()}
    feature_maps(network, batch)
    feature_maps(network, batch.clone().requires_grad_(), "relu")
    after = network.module.state_dict()
    assert not any(module.training for module in network.module.modules())
    assert not any(parameter.requires_grad for parameter in network.module.parameters())
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not any(module._forward_hooks for module in network.module.modules())


def test_hooks_are_gone_after_an_error():
    network = resnet18("bn1", "fc")
    refusal(feature_maps, network, noise(64))
    assert not any(module._forward_hooks for module in network.module.modules())


def test_visits_come_in_the_order_of_the_pass_and_one_at_a_time():
    network = resnet18("layer1.0.bn1", "bn1", "conv1")
    seen = []
    with torch.no_grad():
        read(network, noise(64), lambda layer, _maps: seen.append(layer))
        maps = feature_maps(network, noise(64))
    assert seen == ["L3", "L2", "L1"]
    assert list(maps) == ["L1", "L2", "L3"]


def test_a_module_may_be_read_twice():
    network = resnet18("bn1", "bn1")
    for batch in (noise(64), noise(64).requires_grad_()):
        maps = feature_maps(network, batch)
        assert torch.equal(maps["L1"], maps["L2"])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_chain_of_modules_reads_as_computed_by_hand(data):
    network, batch, expected = drawn_chain(data)
    # An in-place first step overwrites the batch itself, so each pass gets its own.
    for readout in READOUTS:
        with torch.no_grad():
            silent = feature_maps(network, batch.clone(), readout)
        recorded = feature_maps(network, batch.clone().requires_grad_() * 1, readout)
        for layer, name in network.layers.items():
            truth = expected[name].clamp(min=0) if readout == "relu" else expected[name]
            torch.testing.assert_close(silent[layer], truth)
            torch.testing.assert_close(recorded[layer], truth)


def test_layer_that_is_never_used():
    # Inception's auxiliary head works in training only.
    network = untrained(TABLE["inception_v3"], layers=["Conv2d_1a_3x3.bn", "AuxLogits.conv0.bn"])
    message = refusal(layer_shapes, network, 96)
    assert "AuxLogits.conv0.bn is never used" in message


@pytest.mark.parametrize(
    "layers",
    [["layer1.0.relu", "layer2.0.bn1"], ["layer1.0.relu"], ["bn1", "layer1.0.relu"]],
    ids=["middle", "only", "deepest"],
)
def test_layer_that_is_used_several_times(layers):
    message = refusal(layer_shapes, resnet18(*layers), 64)
    assert "layer1.0.relu is used several times" in message


@pytest.mark.parametrize(("layer", "shape"), [("fc", "(1, 1000)")])
def test_output_that_is_no_feature_map(layer, shape):
    message = refusal(layer_shapes, resnet18("bn1", layer), 64)
    assert f"{layer} is {shape}" in message
    assert "make layers" in message


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_output_that_is_no_tensor():
    assert "0 is tuple" in refusal(layer_shapes, own(nn.Sequential(Pair()), "0"), 8)


def test_pooled_output_is_a_feature_map_of_one_position():
    assert layer_shapes(resnet18("avgpool"), 64) == {"L1": (512, 1, 1)}


def test_tail_that_fails_on_small_images_does_not_matter():
    # AlexNet cannot take 32 px to its end, but to its first layer it can.
    network = untrained(TABLE["alexnet"], layers=["features.0"])
    with pytest.raises(RuntimeError):
        network.module(noise(32))
    assert layer_shapes(network, 32) == {"L1": (64, 7, 7)}


def test_bad_readout():
    network = own(nn.Sequential(nn.Conv2d(3, 4, 3)), "0")
    message = refusal(feature_maps, network, noise(8), "Relu")
    assert all(part in message for part in ["readout", "'Relu'", "linear", "relu"])


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "inception_v3", "efficientnet_lite0"])
def test_listed_modules(name):
    network = on_meta(name)
    rows = list_modules(network, 224)
    listed = {row["module"]: row for row in rows}
    assert len(listed) == len(rows)
    depths = [row["depth"] for row in rows]
    assert all(a <= b for a, b in pairwise(depths))
    assert depths[0] < 0.1
    assert depths[-1] == 1
    for layer, (channels, side) in zip(network.layers.values(), SHAPES[name], strict=True):
        row = listed[layer]
        assert (row["channels"], row["height"], row["width"], row["calls"]) == (channels, side, side, 1)
        assert row["positions"] == side * side
        assert row["gram_values"] == channels * (channels + 1) // 2
    if name == "resnet18":
        assert listed["layer1.0.relu"]["calls"] == 2
        assert listed["bn1"] | {"depth": None} == {
            **{
                "module": "bn1",
                "type": "BatchNorm2d",
                "axis": "first",
                "channels": 64,
                "height": 112,
                "width": 112,
            },
            **{"positions": 12544, "prefix": 0, "depth": None, "gram_values": 2080, "calls": 1},
        }
        assert listed["bn1"]["depth"] == 0.05  # the first of 20 convolutions
        assert "fc" not in listed
