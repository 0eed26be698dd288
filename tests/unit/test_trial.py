"""A network that is no function of one image is refused, with the module that causes it."""

import copy
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from architectures import FAMILIES, Step, noise, own, randomise_batchnorm, refusal, untrained
from small import blobs
from torch import nn
from torch.nn.utils import prune

from texalign import networks
from texalign.fast.prepare import prepare
from texalign.gram import extract
from texalign.readout import feature_maps, layer_shapes, list_modules
from texalign.synthesis.objective import Objective


def chain(step=None, norm=None):
    """Two convolutions with a BatchNorm, and with a step of one's own between."""
    torch.manual_seed(0)
    parts = [nn.Conv2d(3, 8, 3, padding=1), norm or nn.BatchNorm2d(8), nn.ReLU(inplace=True)]
    parts += [Step(step)] if step else []
    module = nn.Sequential(*parts, nn.Conv2d(8, 8, 3, padding=1))
    return module if norm else randomise_batchnorm(module)


class Counting(nn.Module):
    """Its output hangs on how often it was called."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x * self.calls


class Whitened(nn.Module):
    """Leaves a trace of the batch in the least of its channels."""

    def forward(self, x):
        return torch.cat([x[:, :-1], x[:, -1:] + 1e-2 * x.std() * x.mean(0, keepdim=True)[:, -1:]], 1)


class Training(nn.Sequential):
    """Trains for ever."""

    def forward(self, x):
        self[0].train()
        return super().forward(x)


class Block(nn.Module):
    """Functional dropout that does not ask whether it is training."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return self.convolution(F.dropout(x, 0.1))


BY_BATCH, BY_CHANCE = "with the other images of its batch", "from one pass to the next"


@pytest.mark.parametrize(
    ("module", "when", "cause"),
    [
        (
            chain(norm=nn.BatchNorm2d(8, track_running_stats=False)),
            BY_BATCH,
            "module 1 (BatchNorm2d), which has",
        ),
        (chain(lambda x: x - x.mean()), BY_BATCH, "module 3 (Step)"),
        (chain(lambda x: x / x.amax()), BY_BATCH, "module 3 (Step)"),
        (chain(lambda x: torch.roll(x, 1, 0)), BY_BATCH, "module 3 (Step)"),
        (nn.Sequential(chain(), Whitened()), BY_BATCH, "module 1 (Whitened)"),
        (nn.Sequential(chain(), Training(nn.BatchNorm2d(8))), None, "1.0 (BatchNorm2d)"),
        (chain(lambda x: F.dropout(x, 0.3)), BY_CHANCE, "module 3 (Step)"),
        (nn.Sequential(chain(), Block()), BY_CHANCE, "module 1 (Block)"),
        (nn.Sequential(chain(), Step(lambda x: F.rrelu(x, training=True))), BY_CHANCE, "module 1 (Step)"),
        (chain(lambda x: x + 1e-2 * torch.randn_like(x)), BY_CHANCE, "module 3 (Step)"),
        (chain(lambda x: x[:, torch.randperm(8)]), BY_CHANCE, "module 3 (Step)"),
        (nn.Sequential(chain(), Counting()), BY_CHANCE, "module 1 (Counting)"),
    ],
)
def test_a_network_that_is_no_function_of_one_image_is_refused_with_its_cause(module, when, cause):
    last = f"{len(module) - 1}"
    message = refusal(layer_shapes, own(module, last), 32)
    assert cause in message
    assert when is None or when in message
    assert f"L1 ({last})" in message
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (lambda x: F.dropout(x, 1e-9), "module 1 (Step)"),  # nothing in a trial, something in a study
        (lambda x: x if torch.rand(()) > 1e-6 else 0 * x, "module 1 (Step)"),  # a whole branch
        (lambda x: x if np.random.rand() > 1e-6 else 0 * x, "module 1 (Step)"),  # noqa: NPY002 - as others do
        (lambda x: x if random.random() > 1e-6 else 0 * x, "module 1 (Step)"),
    ],
)
def test_what_is_seldom_random_is_refused_by_its_draw(step, cause):
    message = refusal(layer_shapes, own(nn.Sequential(chain(), Step(step)), "1"), 32)
    assert "draws random numbers" in message
    assert cause in message


@pytest.mark.parametrize("step", [nn.Dropout(0.5).eval(), lambda x: F.dropout(x, 0.0)])
def test_dropout_that_is_off_draws_nothing(step):
    assert layer_shapes(own(nn.Sequential(chain(), Step(step)), "1"), 32) == {"L1": (8, 32, 32)}


def test_what_is_drawn_behind_the_layers_does_not_matter():
    assert layer_shapes(own(nn.Sequential(chain(), Step(F.dropout)), "0.2"), 32) == {"L1": (8, 32, 32)}


@pytest.mark.parametrize("size", [24, 64])
def test_a_function_of_one_image_passes_and_is_left_as_it_was(size):
    module = nn.Sequential(
        chain(),
        nn.Dropout(0.5),
        nn.InstanceNorm2d(8),
        nn.GroupNorm(2, 8),
        Step(lambda x: x - x.mean((1, 2, 3), True)),
    )
    network = own(module, "0", "4")
    state = copy.deepcopy(module.state_dict())
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert layer_shapes(network, size) == {"L1": (8, size, size), "L2": (8, size, size)}
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(state[key], value) for key, value in module.state_dict().items())


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_passes(name):
    entry, size = FAMILIES[name]
    network = untrained(entry)
    randomise_batchnorm(network.module)
    assert list(layer_shapes(network, size)) == list(network.layers)


def test_the_trial_costs_a_few_images():
    """One image alone, one to the end, two together."""
    network, images = own(chain(), "3"), []
    network.module[0].register_forward_pre_hook(lambda _, inputs: images.append(len(inputs[0])))
    layer_shapes(network, 32)
    assert sum(images) <= 5


def test_synthesis_refuses_it_too():
    network = own(chain(lambda x: F.dropout(x, 0.3)), "4")
    message = refusal(Objective, network, [blobs(32)])
    assert "module 3 (Step)" in message


def test_a_network_of_one_image_at_a_time_is_told():
    def one(x):
        assert len(x) == 1, "one at a time"
        return x

    message = refusal(layer_shapes, own(chain(one), "4"), 32)
    assert all(
        part in message for part in ["a batch of 2, though one image alone", "one at a time", "module 3"]
    )


def test_maps_that_are_not_finite_are_told_before_any_image():
    module = chain()
    module[0].weight.data[2, 1] = np.nan
    message = refusal(layer_shapes, own(module, "0", "1"), 32)
    assert "L1 (0) is not finite" in message
    assert "weights" in message


class Closure(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3)
        self.call = lambda x: self.inner(x)

    def forward(self, x):
        return self.call(x)


def test_a_module_in_a_closure_is_told_as_what_it_is():
    message = refusal(layer_shapes, own(Closure(), "inner"), 16)
    assert "inner is used by the network but not by a copy" in message
    assert "closure" in message


# ---------------------------------------------------------------- images that a network cannot take


class Takes(nn.Module):
    """A convolution behind a condition on the image."""

    def __init__(self, condition, channels=3):
        super().__init__()
        self.condition, self.convolution = condition, nn.Conv2d(channels, 4, 3)

    def forward(self, x):
        if not self.condition(x):
            raise ValueError("not this image")
        return self.convolution(x)


@pytest.mark.parametrize(
    ("module", "layer", "parts"),
    [
        (
            Takes(lambda x: x.shape[-1] == 224),
            "convolution",
            ["ValueError: not this image", "it takes 224 px only"],
        ),
        (Takes(lambda x: x.shape[-1] >= 100), "convolution", ["image: size: 128 works", "deepest layers"]),
        (Takes(lambda x: x.shape[-1] % 7 == 0), "convolution", ["image: size: 224 works"]),
        (
            Takes(lambda x: x.shape[-1] in (32, 96, 256)),
            "convolution",
            ["to one that it takes, as 32, 96, 256"],
        ),
        (Takes(lambda x: False), "convolution", ["not this image", "try it by itself"]),
        (nn.Sequential(nn.Conv2d(1, 4, 3)), "0", ["in module 0 (Conv2d)", "takes images of 1 channel"]),
        (nn.Sequential(nn.Conv3d(3, 4, 3)), "0", ["takes videos, 5-D"]),
        (nn.Sequential(nn.Conv2d(3, 4, 3)).double(), "0", ["its weights are float64", ".float()"]),
        (nn.Sequential(nn.Conv2d(3, 4, 3)).half(), "0", ["its weights are float16"]),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3).double()),
            "1",
            ["module 1 (Conv2d)", "float64"],
        ),
        (
            nn.Sequential(*[nn.Conv2d(3, 3, 5, stride=4) for _ in range(4)]),
            "3",
            ["in module 2", "size: 384 works"],
        ),
        (nn.Bilinear(3, 3, 3), "x", ["missing 1 required positional argument", "Bilinear's own forward"]),
    ],
)
def test_an_image_that_a_network_cannot_take_is_one_line(module, layer, parts):
    layers = {"L1": layer} if layer in dict(module.named_modules()) else {}
    network = networks.Network(module.eval().requires_grad_(False), layers)
    message = refusal(layer_shapes, network, 64)
    assert all(part in message for part in ["cannot take 64x64 px", *parts])
    if layer != "3":
        assert "64x64 px" in refusal(list_modules, network, 64)


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        (
            {"architecture": "vit_b_16", "layers": ["conv_proj"]},
            ["Expected 224 but got 64", "takes 224 px only"],
        ),
        ({"architecture": "r3d_18", "layers": ["stem.0"]}, ["takes videos"]),
        ({"architecture": "raft_small", "layers": ["feature_encoder.conv"]}, ["image2"]),
        (
            {"architecture": "densenet121", "layers": ["features.pool0"]}
            | {"architecture": "inception_v3"}
            | {"options": {"init_weights": False}, "layers": ["Mixed_7c"]},
            ["Mixed_7a.branch3x3_2.conv", "image: size: 96 works"],
        ),
    ],
    ids=["fixed size", "videos", "two images", "too deep"],
)
def test_networks_of_torchvision_that_cannot_take_an_image(entry, parts):
    message = refusal(layer_shapes, untrained(entry), 64)
    assert all(part in message for part in parts)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64])
def test_maps_that_are_no_real_numbers(dtype):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), Step(lambda x: x.to(dtype)))
    assert "no real numbers" in refusal(layer_shapes, own(module, "1"), 16)


# ---------------------------------------------------------------- networks that resize by themselves

DETECTION = [
    ("fasterrcnn_mobilenet_v3_large_320_fpn", "backbone.body.0.1", "transform (GeneralizedRCNNTransform)"),
    ("ssdlite320_mobilenet_v3_large", "backbone.features.0.0.1", "transform (GeneralizedRCNNTransform)"),
]


@pytest.mark.parametrize(("architecture", "layer", "cause"), DETECTION)
def test_detection_networks_are_refused(architecture, layer, cause):
    message = refusal(layer_shapes, untrained({"architecture": architecture, "layers": [layer]}), 64)
    assert all(part in message for part in ["resizes every image to 320x320 px", cause, "64x64 px"])


def test_a_detection_network_that_keeps_the_size_normalises_once():
    entry = {"architecture": DETECTION[0][0], "layers": [DETECTION[0][1]]}
    network = untrained(entry, options={"min_size": 64, "max_size": 64})
    assert layer_shapes(network, 64) == {"L1": (16, 32, 32)}
    seen = []
    network.module.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = noise(64, images=1)
    with torch.no_grad():
        feature_maps(network, network.preprocess(image))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(seen[0], (image - mean) / std, rtol=1e-4, atol=1e-5)


class Resizing(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size, self.convolution = size, nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.convolution(F.interpolate(x, (self.size, self.size)))


def test_a_network_of_ones_own_that_resizes_is_refused_at_another_size_alone():
    network = own(Resizing(48), "convolution")
    message = refusal(layer_shapes, network, 64)
    assert all(part in message for part in ["to 48x48 px", "Resizing's own forward"])
    assert layer_shapes(network, 48) == {"L1": (4, 48, 48)}


@pytest.mark.parametrize(
    "first",
    [
        nn.PixelUnshuffle(2),
        nn.Upsample(scale_factor=2),
        nn.ZeroPad2d(3),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(64),
    ],
)
def test_what_grows_with_the_image_may_come_first(first):
    module = nn.Sequential(first, nn.Conv2d(12 if isinstance(first, nn.PixelUnshuffle) else 3, 4, 3))
    assert layer_shapes(own(module, "1"), 64)["L1"][0] == 4


# ---------------------------------------------------------------- weights that are computed in each pass


@pytest.mark.parametrize("where", [0, 3])
@pytest.mark.parametrize(
    "normed",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        lambda conv: prune.l1_unstructured(conv, "weight", 0.5),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_norms_of_weights_go_through_the_whole_feature_pass(normed, where):
    torch.manual_seed(0)
    module = nn.Sequential(
        *[nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True)],
        *[nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32)],
    )
    module[where] = normed(module[where])
    network = own(randomise_batchnorm(module), "1", "4")
    layer_shapes(network, 16)
    images = (noise(16, images=5) * 255).byte().permute(0, 2, 3, 1).numpy()
    with torch.no_grad():
        expected = extract.one_batch(network, images)
    rows = {"L1": [], "L2": []}
    with prepare(network, 16, convolutions="auto") as fast:
        assert isinstance(fast.module[1 if where == 3 else 4], nn.Identity)  # the plain one is folded
        assert isinstance(fast.module[1 if where == 0 else 4], nn.BatchNorm2d)
        extract.compute(
            fast, [(0, images)], lambda layer, _start, found: rows[layer].append(found.gram), max_batch=2
        )
    for layer, (values, _) in expected.items():
        np.testing.assert_allclose(np.concatenate(rows[layer]), values, rtol=1e-3, atol=1e-4 * values.max())


def test_bf16_keeps_to_wider_bounds():
    from texalign.fast.precision import computing_in

    network = own(chain(), "1", "3")
    with computing_in(network, "bf16") as rough:
        assert list(layer_shapes(rough, 32)) == ["L1", "L2"]
    with computing_in(replace(network, module=chain(lambda x: F.dropout(x, 0.3))), "bf16") as rough:
        refusal(layer_shapes, rough, 32)
