"""Networks of every family, with what is known of them, and what tests do to them."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import yaml
from hypothesis import strategies as st
from torch import nn

from texalign import InputError, builders, networks

ROOT = Path(__file__).resolve().parents[2]

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


def drawn_chain(data):
    """Draw a chain of modules with layers to read; the network, a batch, every module's output by hand."""
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
    return network, batch, expected


def small(weights="file.pth", **changes):
    """Entry of a single convolution."""
    options = {"kernel_size": 3, "in_channels": 3, "out_channels": 4}
    return {"architecture": "torch.nn:Conv2d", "options": options, "weights": weights, "layers": []} | changes


META = torch.device("meta")


def on_meta(name):
    """Network of the table without numbers: shapes only, in no time."""
    entry = TABLE[name]
    with META:
        module = builders.build(entry["architecture"], entry.get("options", {}) | INIT.get(name, {}))
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
