"""Channels are read where they are: in front or at the end, found by behaviour, or declared."""

import logging
from dataclasses import replace

import pytest
import torch
from architectures import FAMILIES, noise, on_meta, own, refusal, untrained
from torch import nn

from texalign import channels, gram, networks
from texalign.fast.fold import fold_batchnorm
from texalign.gram import extract
from texalign.readout import READOUTS, feature_maps, find_axes, layer_shapes, list_modules, read


class Last(nn.Module):
    """Run a module on (b, H, W, N) maps, and keep them so."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class ToLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1)


class ToFirst(nn.Module):
    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class OneSize(nn.Module):
    """Takes images of one size."""

    def __init__(self, size, *modules):
        super().__init__()
        self.size, self.rest = size, nn.Sequential(*modules)

    def forward(self, x):
        assert x.shape[-1] == self.size, f"input must be {self.size}"
        return self.rest(x)


def mixed(n=6, seed=0):
    """Maps in front, at the end, and in front again; as many channels as the last maps of 24 px have rows."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, n, 3, stride=2, padding=1),
        ToLast(),
        Last(nn.Conv2d(n, n, 3, padding=1)),
        nn.LayerNorm(n),
        ToFirst(),
        nn.Conv2d(n, 5, 3, stride=2, padding=1),
        nn.ReLU(),
    )


AXES = {"0": "first", "1": "last", "2": "last", "3": "last", "4": "first", "5": "first", "6": "first"}


@pytest.mark.parametrize("size", [24, 64, 100])
@pytest.mark.parametrize("n", [6, 12, 24, 32])
def test_the_axis_is_found_whatever_the_number_of_channels(size, n):
    """Also where the maps have as many rows as channels."""
    network = own(mixed(n), *AXES)
    shapes = layer_shapes(network, size)
    assert network.axes == AXES
    assert [shape[0] for shape in shapes.values()] == [n] * 5 + [5, 5]
    assert all(shape[1] == shape[2] for shape in shapes.values())


@pytest.mark.parametrize("readout", READOUTS)
def test_gram_matrices_are_those_of_the_channels(readout):
    network = own(mixed(), "2", "3")
    images = (noise(32) * 255).byte().permute(0, 2, 3, 1).numpy()
    rows = extract.one_batch(network, images, readout)
    with torch.no_grad():
        x = network.preprocess(images)
        for i in range(3):
            x = network.module[i](x)
        for layer, maps in {"L1": x, "L2": network.module[3](x)}.items():
            maps = torch.relu(maps) if readout == "relu" else maps
            by_hand = torch.einsum("bhwi,bhwj->bij", maps, maps)
            torch.testing.assert_close(torch.from_numpy(rows[layer].gram), gram.pack(by_hand))


def test_maps_at_the_end_are_read_under_gradients_too():
    network = own(mixed(), "2")
    image = network.preprocess(noise(16)).requires_grad_()
    maps = feature_maps(network, image)["L1"]
    assert maps.shape == (2, 6, 8, 8)
    maps.square().sum().backward()
    assert image.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("architecture", "layers"),
    [
        (
            "swin_t",
            {
                "features.0.0": (96, 16),
                "features.1": (96, 16),
                "features.2": (192, 8),
                "features.3": (192, 8),
            },
        ),
        ("swin_v2_t", {"features.1": (96, 16), "features.3.0": (192, 8)}),
        ("convnext_tiny", {"features.0": (96, 16), "features.1.0.block.2": (96, 16), "features.3": (192, 8)}),
    ],
)
def test_networks_of_torchvision_whose_maps_end_in_their_channels(architecture, layers):
    network = untrained({"architecture": architecture, "layers": list(layers)})
    shapes = layer_shapes(network, 64)
    assert list(shapes.values()) == [(n, side, side) for n, side in layers.values()]
    assert "last" in network.axes.values()


def test_all_families_have_their_channels_in_front(family):
    network, batch = family
    find_axes(network, batch[:1])
    assert set(network.axes.values()) == {"first"}


def test_torchs_own_modules_need_no_pass():
    network = own(mixed(), "0", "5")
    passes = []
    network.module[0].register_forward_hook(lambda *_: passes.append(1))
    read(network, noise(16), lambda *_: None)
    assert len(passes) == 1


def test_a_convolution_that_permutes_is_not_taken_for_torchs_own():
    class AtTheEnd(nn.Conv2d):
        def forward(self, x):
            return super().forward(x).permute(0, 2, 3, 1)

    network = own(nn.Sequential(AtTheEnd(3, 4, 3)), "0")
    assert layer_shapes(network, 16) == {"L1": (4, 14, 14)}
    assert network.axes == {"0": "last"}


def test_the_axis_is_looked_for_once_and_kept_by_what_is_made_of_the_network(monkeypatch):
    network = own(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), ToLast()), "1", "3")
    layer_shapes(network, 16)
    monkeypatch.setattr(channels, "by_behaviour", lambda *_: pytest.fail("looked for again"))
    folded = fold_batchnorm(network, 16)
    assert folded is not network
    assert folded.axes is network.axes
    assert feature_maps(replace(folded, layers={"L1": "3"}), noise(16))["L1"].shape == (2, 4, 14, 14)


@pytest.mark.parametrize(("axis", "shape"), [("first", (24, 24, 3)), ("last", (3, 24, 24))])
def test_a_network_of_one_size_is_read_as_declared_or_refused(axis, shape):
    """Where no module around tells."""
    network = own(OneSize(24, ToLast(), nn.Tanh()), "rest.0")
    message = refusal(layer_shapes, network, 24)
    assert all(part in message for part in ["rest.0", "(1, 24, 24, 3)", "channels: first or last"])
    assert layer_shapes(replace(network, channels=axis), 24) == {"L1": shape}


@pytest.mark.parametrize("names", [["rest.1", "rest.2", "rest.4"], ["rest.2"]])
def test_in_a_network_of_one_size_other_modules_tell(names):
    """The convolutions and the norm around have their maps in the same places."""
    network = own(OneSize(24, *mixed()), *names)
    assert set(layer_shapes(network, 24).values()) == {(6, 12, 12)}
    assert network.axes == {name: AXES[name.removeprefix("rest.")] for name in names}


def test_what_torch_defines_needs_no_declaration_in_a_network_of_one_size():
    assert layer_shapes(own(OneSize(24, *mixed()), "rest.0", "rest.5"), 24)["L2"] == (5, 6, 6)


def test_vit_at_its_own_size():
    network = untrained({"architecture": "vit_b_32", "options": {"image_size": 64}, "layers": ["conv_proj"]})
    assert layer_shapes(network, 64) == {"L1": (768, 2, 2)}


def test_pooled_maps_are_ambiguous_unless_others_are_as_large():
    pooled = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2), nn.ReLU(), ToLast())
    assert layer_shapes(own(pooled, "1", "2", "3"), 16) == dict.fromkeys(["L1", "L2", "L3"], (4, 2, 2))
    square = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(4), nn.ReLU())
    assert layer_shapes(own(square, "1"), 16) == {"L1": (4, 4, 4)}
    assert "channels: first or last" in refusal(layer_shapes, own(square, "2"), 16)
    assert layer_shapes(replace(own(square, "2"), channels="first"), 16) == {"L1": (4, 4, 4)}


def test_a_declaration_that_is_not_what_is_found_is_told(caplog):
    caplog.set_level(logging.WARNING)
    network = replace(own(mixed(), "3"), channels="first")
    assert layer_shapes(network, 24) == {"L1": (6, 12, 12)}
    assert caplog.text.count("channels: first is declared, but those of 3 are last") == 1


def test_load_takes_the_declaration():
    entry = FAMILIES["alexnet"][0] | {"layers": ["features.0"]}
    assert untrained(entry, channels="last").channels == "last"
    assert untrained(entry).channels is None


def test_listed_modules_say_their_axis():
    rows = {row["module"]: row for row in list_modules(own(mixed(), "0"), 24)}
    assert {name: row["axis"] for name, row in rows.items() if "." not in name} == AXES
    assert {row["channels"] for row in rows.values()} == {6, 5}
    assert rows["3"]["positions"] == 144
    fixed = {row["module"]: row["axis"] for row in list_modules(own(OneSize(24, *mixed()), "rest.0"), 24)}
    assert (fixed["rest.0"], fixed["rest.3"]) == ("first", "last")
    blind = own(OneSize(24, ToLast()), "rest.0")
    assert {row["axis"] for row in list_modules(blind, 24)} == {"?"}
    assert {row["channels"] for row in list_modules(replace(blind, channels="last"), 24)} == {3}


def test_listed_modules_of_a_network_that_cannot_take_the_size():
    message = refusal(list_modules, own(OneSize(64, *mixed()), "rest.0"), 48)
    assert all(part in message for part in ["48x48 px", "input must be 64", "it takes 64 px only"])


@pytest.mark.parametrize("name", ["resnet18", "inception_v3"])
def test_every_module_of_a_published_network_has_its_channels_in_front(name):
    rows = list_modules(on_meta(name), 224)
    assert {row["axis"] for row in rows if row["positions"] > 1} == {"first"}


def test_every_size_has_another():
    for size in range(1, 600):
        other = channels.another_size(size)
        assert other != size or channels.twice(size) != size
        assert other > 0


def test_parameters_of_any_number_of_dimensions_are_laid_out():
    module = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3), nn.Linear(3, 4)])
    assert channels.lay_out(module) is module
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    networks.load(
        {"architecture": "torch.nn:Conv3d", "weights": "untrained", "layers": []}
        | {"options": {"in_channels": 3, "out_channels": 4, "kernel_size": 3}},
        device="cpu",
    )
