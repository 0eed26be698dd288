"""Relative depth, and blocks that all of the computation goes through."""

import math

import pytest
import torch
from architectures import META, refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from texalign import builders, depth


class Shortcut(nn.Module):
    """Two convolutions beside which the input goes on."""

    def __init__(self, n):
        super().__init__()
        self.first, self.second = nn.Conv2d(n, n, 3, padding=1), nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x):
        return x + self.second(torch.relu_(self.first(x)))


class Branches(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.left, self.right = nn.Conv2d(n, n, 1), nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x):
        return torch.cat([self.left(x), self.right(x)], 1)


class Tail(nn.Module):
    """Named parts in a wrapper of one's own, with a head, and one that is not used."""

    def __init__(self, *parts):
        super().__init__()
        self.body, self.unused = nn.Sequential(*parts), nn.Conv2d(3, 3, 1)
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.pool(self.body(x)).flatten(1))


def residual():
    """Weights: 1, then twice 2, then 2."""
    stem = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
    return Tail(*stem, Shortcut(4), Shortcut(4), Branches(4)).eval().requires_grad_(False)


def names(module):
    return [block.name for block in depth.blocks(module)]


def test_blocks_are_what_everything_goes_through():
    assert depth.blocks(residual()) == [
        ("body.1", 0.143),  # the norm and not the convolution before it
        ("body.3", 0.429),
        ("body.4", 0.714),
        ("body.5", 1),
    ]


def test_a_chain_is_of_its_layers_with_weights():
    chain = nn.Sequential(*[part for _ in range(3) for part in (nn.Conv2d(3, 3, 3), nn.ReLU(inplace=True))])
    assert names(chain.eval().requires_grad_(False)) == ["0", "2", "4"]


@pytest.mark.parametrize("small", [0, depth.SMALL])
def test_a_pass_without_numbers_finds_the_same(small, monkeypatch):
    found = depth.blocks(residual().requires_grad_())
    devices = set()

    class Looks(nn.Module):
        def forward(self, x):
            devices.add(x.device.type)
            return x * 2

    monkeypatch.setattr(depth, "SMALL", small)
    looks = nn.Sequential(Looks(), residual().requires_grad_())
    assert names(looks.eval()) == [f"1.{block.name}" for block in found]
    assert devices == {"cpu" if small else "meta"}
    assert all(p.requires_grad for p in looks.parameters())


@pytest.mark.parametrize("kind", ["value", "size"])
def test_what_cannot_run_without_numbers_runs_with_them(kind, monkeypatch):
    """And at the size that it takes."""
    monkeypatch.setattr(depth, "SMALL", 0)

    class Looks(nn.Module):
        def forward(self, x):
            if kind == "value":
                assert float(x.sum()) < 1e9
            elif x.shape[-1] != 96:
                raise ValueError("96 px only")
            return x * 2

    looks = nn.Sequential(Looks(), residual()).eval().requires_grad_(False)
    assert names(looks) == [f"1.{name}" for name in names(residual())]


@pytest.mark.parametrize(
    ("architecture", "count", "chosen"),
    [
        ("resnet18", 9, ["bn1", "layer1.1", "layer2.1", "layer3.1", "layer4.1"]),
        ("vgg11_bn", 8, ["features.1", "features.5", "features.12", "features.19", "features.26"]),
        (
            "vit_b_32",
            13,
            ["conv_proj", *(f"encoder.layers.encoder_layer_{i}" for i in (2, 5, 8, 11))],
        ),
        ("squeezenet1_1", 10, None),
        ("swin_t", 16, None),
    ],
)
def test_networks_of_torchvision(architecture, count, chosen):
    with META:
        module = builders.build(architecture, {}).eval().requires_grad_(False)
    found = depth.blocks(module)
    assert len(found) == count
    assert found[-1].depth == 1
    taken = depth.chosen(module, {"count": 5})
    assert chosen is None or taken == chosen
    near = {block.name: block.depth for block in found}
    assert [near[name] for name in taken] == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.15)
    assert depth.of(module, taken) == {name: near[name] for name in taken}


def test_depths_choose_the_nearest_and_names_stay():
    module = residual()
    assert depth.chosen(module, {"depth": [0, 0.5, 1]}) == ["body.1", "body.3", "body.5"]
    assert depth.chosen(module, {"depth": [0.9]}) == ["body.5"]
    assert depth.chosen(module, {"depth": [0.7, 0.71]}) == ["body.3", "body.4"]  # no block twice
    assert depth.chosen(module, ["body.0", "body.0"]) == ["body.0", "body.0"]


def test_too_few_blocks_are_refused():
    message = refusal(depth.chosen, residual(), {"count": 5})
    assert all(part in message for part in ["5 layers", "4 blocks (body.1, body.3", "make layers"])
    blind = nn.Sequential(nn.Flatten(), nn.Linear(3, 3)).eval()
    assert "0 blocks (none)" in refusal(depth.chosen, blind, {"count": 2})


def test_depth_of_any_module():
    module = residual()
    found = depth.of(module, ["body.0", "body.3.first", "body.5", "unused"])
    assert math.isnan(found.pop("unused"))
    assert found == {"body.0": 0.143, "body.3.first": 0.286, "body.5": 1}


def test_a_pass_leaves_a_network_as_it_was():
    module = residual()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    depth.blocks(module)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())
    assert not any(p.requires_grad for p in module.parameters())


@settings(max_examples=50, deadline=None)
@given(
    depths=st.lists(st.integers(0, 20), min_size=1, max_size=7, unique=True).map(sorted),
    wanted=st.lists(st.integers(0, 20), min_size=1, max_size=4, unique=True).map(sorted),
)
def test_the_choice_is_the_best_of_all(depths, wanted):
    from itertools import combinations

    if len(depths) < len(wanted):
        return

    def cost(chosen):
        return sum(abs(depths[i] - target) for i, target in zip(chosen, wanted, strict=True))

    best = min(map(cost, combinations(range(len(depths)), len(wanted))))
    found = depth._nearest(depths, wanted)
    assert sorted(set(found)) == found
    assert cost(found) == best
