"""Tokens are read as maps: channels in front, places in a grid, without what is no place of the image."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from architectures import META, noise, own, refusal, untrained
from torch import nn

from texalign import builders, gram, tokens
from texalign.gram import extract
from texalign.readout import READOUTS, feature_maps, layer_shapes, list_modules


class Mixing(nn.Module):
    """Every token sees the mean of all, and changes by it."""

    def __init__(self, n):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(n), nn.Linear(n, n)

    def forward(self, x):
        return x + self.linear(self.norm(x) + x.mean(1, keepdim=True))


class Turned(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


class Transformer(nn.Module):
    """Patches of 4 pixels, behind tokens that are the same for every image; of any image size, or one."""

    def __init__(self, n=12, before=1, size=None, behind=0):
        super().__init__()
        torch.manual_seed(0)
        self.patches, self.size = nn.Conv2d(3, n, 4, stride=4), size
        self.extra = nn.Parameter(torch.randn(before + behind, n))
        self.before = before
        self.blocks = nn.Sequential(Mixing(n), Mixing(n))
        self.turned = Turned()

    def forward(self, x):
        assert self.size in (None, x.shape[-1]), f"input must be {self.size}"
        x = self.patches(x).flatten(2).transpose(1, 2)
        extra = self.extra.expand(len(x), -1, -1)
        x = self.blocks(torch.cat([extra[:, : self.before], x, extra[:, self.before :]], 1))
        return self.turned(x)


#: What is proven against an independent read-out: entry, pixels, and tokens in front of each layer's.
PROVEN = {
    "ViT-B/16": (
        {
            "architecture": "vit_b_16",
            "options": {"image_size": 64},
            "layers": ["conv_proj", "encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_11"],
        },
        64,
        [None, 1, 1],
    ),
    "Swin-T": (
        {"architecture": "swin_t", "layers": ["features.0", "features.3.1", "features.7"]},
        64,
        ["last", "last", "last"],
    ),
    "ConvNeXt-T": (
        {"architecture": "convnext_tiny", "layers": ["features.0", "features.3.0.block.2", "features.5.8"]},
        64,
        [None, "last", None],
    ),
    "timm's ViT with registers": (
        {
            "architecture": "timm/vit_small_patch14_reg4_dinov2",
            "options": {"img_size": 56, "depth": 3},
            "layers": ["patch_embed.proj", "blocks.0", "blocks.2"],
        },
        56,
        [None, 5, 5],
    ),
    "timm's CNN": (
        {"architecture": "timm/resnet26d", "layers": ["bn1", "layer2.0.bn1", "layer4.1.bn2"]},
        64,
        [None, None, None],
    ),
}


@pytest.fixture(scope="module", params=PROVEN)
def proven(request):
    entry, size, kinds = PROVEN[request.param]
    if entry["architecture"].startswith("timm/"):
        builders.provide_torchvision()
        pytest.importorskip("timm", reason="timm is not installed")
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    return untrained(entry), images, kinds


def test_gram_matrices_are_those_of_an_independent_readout(proven):
    """With plain hooks, and products in float64, of what is known of each layer's layout."""
    network, images, kinds = proven
    kept = {}
    handles = [
        network.module.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, layer=layer: kept.update({layer: out.detach().clone().double().numpy()})
        )
        for layer, name in network.layers.items()
    ]
    with torch.no_grad():
        x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (network.mean, network.std))
        network.module((x - mean) / std)
    for handle in handles:
        handle.remove()
    rows = {readout: extract.one_batch(network, images, readout) for readout in READOUTS}
    for (layer, maps), kind in zip(kept.items(), kinds, strict=True):
        if kind is None:
            maps = maps.transpose(0, 2, 3, 1).reshape(len(maps), -1, maps.shape[1])
        elif kind == "last":
            maps = maps.reshape(len(maps), -1, maps.shape[3])
        else:
            maps = maps[:, kind:]
        assert maps.min() < 0 < maps.max()
        for readout, taken in {"linear": maps, "relu": np.maximum(maps, 0)}.items():
            expected = np.einsum("bti,btj->bij", taken, taken)
            found = gram.unpack(rows[readout][layer].gram)
            assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("size", [None, 16])
@pytest.mark.parametrize("before", [0, 1, 5])
def test_tokens_that_are_no_places_are_left_out(before, size):
    """Found by two images, whatever the network takes, with channels at the end and in front."""
    network = own(Transformer(before=before, size=size), "blocks.0", "blocks.1", "turned")
    assert layer_shapes(network, 16) == dict.fromkeys(["L1", "L2", "L3"], (12, 4, 4))
    assert network.axes == {"blocks.0": "last", "blocks.1": "last", "turned": "first"}
    assert network.prefixes == dict.fromkeys(["blocks.0", "blocks.1", "turned"], before)
    image = noise(16)
    with torch.no_grad():
        maps, whole = feature_maps(network, image), network.module(image)
    assert torch.equal(maps["L2"].flatten(2), whole[:, :, before:])
    assert torch.equal(maps["L2"], maps["L3"])
    # In the rows and columns of the image: the convolution's, before anything was mixed.
    assert torch.equal(
        tokens.to_maps(torch.arange(16.0).view(1, 16, 1), "last", 0, (16, 16))[0, 0, 1, 2], torch.tensor(6.0)
    )


def test_a_declared_number_that_is_wrong_is_refused():
    network = own(Transformer(before=1), "blocks.0")
    for declared in (0, 2, 13, 17):  # 17 less 13 would be 2 by 2
        wrong = replace(network, prefix_tokens=declared, axes={}, prefixes={})
        message = refusal(layer_shapes, wrong, 16)
        assert all(
            part in message for part in [f"prefix_tokens: {declared} is declared", "blocks.0", "1 would be"]
        )
    assert layer_shapes(replace(network, prefix_tokens=1, axes={}, prefixes={}), 16) == {"L1": (12, 4, 4)}


def test_tokens_that_do_not_lie_over_the_image_are_refused():
    message = refusal(layer_shapes, own(Transformer(before=1, behind=1), "blocks.0"), 16)
    assert all(part in message for part in ["18 tokens of blocks.0", "16x16 px", "prefix_tokens"])


def test_tokens_that_all_begin_the_same_are_refused():
    class Queries(nn.Module):
        def __init__(self):
            super().__init__()
            self.queries, self.mix = nn.Parameter(torch.randn(4, 12)), Mixing(12)

        def forward(self, x):
            return self.mix(self.queries.expand(len(x), -1, -1)) * x.mean((1, 2, 3))[:, None, None]

    assert "no places of the image" in refusal(layer_shapes, own(nn.Sequential(Queries()), "0.mix"), 16)


def test_a_declared_axis_that_is_wrong_is_told_and_not_taken(caplog):
    caplog.set_level(logging.WARNING)
    network = replace(own(Transformer(size=16), "blocks.0"), channels="first")
    assert layer_shapes(network, 16) == {"L1": (12, 4, 4)}
    assert "channels: first is declared, but those of blocks.0 are last" in caplog.text


def test_windows_are_refused():
    class Windows(nn.Module):
        def forward(self, x):
            return x.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 4, 5, 1).reshape(-1, 64, x.shape[1])

    network = own(nn.Sequential(nn.Conv2d(3, 5, 1), Windows()), "1")
    assert "(4, 64, 5) for 1 images, not one row an image" in refusal(layer_shapes, network, 16)


def test_without_numbers_what_the_network_says_counts():
    with META:
        network = replace(own(Transformer(), "blocks.1"), device=META)
    assert "17 tokens of blocks.1 do not lie evenly" in refusal(layer_shapes, network, 16)
    network.module.blocks.num_prefix_tokens = 1
    assert layer_shapes(network, 16) == {"L1": (12, 4, 4)}


def test_what_a_network_says_of_its_tokens_is_found():
    vit = Transformer()
    assert tokens.claimed(vit, "blocks.0") is None
    vit.class_token = nn.Parameter(torch.zeros(1, 1, 12))
    assert tokens.claimed(vit, "blocks.0.norm") == 1
    vit.blocks.num_prefix_tokens = 5
    assert (tokens.claimed(vit, "blocks.0"), tokens.claimed(vit, "patches")) == (5, 1)


def test_gradients_go_through_tokens():
    network = own(Transformer(), "blocks.1")
    image = noise(16).requires_grad_()
    feature_maps(network, image, "relu")["L1"].square().sum().backward()
    assert image.grad.abs().min() > 0


@pytest.mark.parametrize(
    ("count", "image", "expected"),
    [
        (196, (224, 224), (14, 14)),
        (195, (224, 224), None),
        (1, (64, 64), (1, 1)),
        (12, (96, 128), (3, 4)),
        (12, (128, 96), (4, 3)),
        (12, (64, 64), None),
        (84, (100, 224), (6, 14)),  # stride 16, the rest of the image left out
        (98, (100, 224), (7, 14)),  # or filled up
    ],
)
def test_grid(count, image, expected):
    assert tokens.grid(count, *image) == expected


def test_listed_modules_have_their_tokens():
    network = own(Transformer(size=16), "blocks.0")
    network.module.num_prefix_tokens = 1
    rows = {row["module"]: row for row in list_modules(network, 16)}
    blocks = [name for name in rows if name.startswith("blocks")]
    assert len(blocks) == len(rows) - 2 == 7
    kinds = ("axis", "channels", "height", "width", "positions", "prefix")
    assert {tuple(rows[name][kind] for kind in kinds) for name in blocks} == {("last", 12, 4, 4, 16, 1)}
    assert (rows["patches"]["prefix"], rows["turned"]["axis"]) == (0, "first")
    assert [rows[name]["depth"] for name in ("patches", "blocks.0", "blocks.1")] == [0.333, 0.667, 1]
