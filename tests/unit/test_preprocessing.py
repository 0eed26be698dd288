"""What weights want their images to be, from torchvision and timm; builders that hang on their weights."""

import hashlib
import logging
import subprocess
import sys
import textwrap
from collections import Counter

import pytest
import torch
from architectures import ROOT, TABLE, noise, refusal, small, untrained
from torch import nn

from texalign import builders, networks, preprocessing, sources, store
from texalign.preprocessing import IMAGENET_MEAN, IMAGENET_STD

models = builders.torchvision_models()

VGG_MEAN, VGG_STD = (0.48235, 0.45882, 0.40784), (1 / 255,) * 3


@pytest.fixture
def saved(tmp_path):
    """Write a network's weights as a file, with an entry that knows its hash."""

    def save(module, **entry):
        path = tmp_path / "weights.pth"
        torch.save(module.state_dict(), path)
        return path, {"layers": [], "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | entry

    return save


@pytest.mark.parametrize("name", TABLE)
def test_every_network_of_the_table_keeps_imagenets_constants(name):
    """Published weights and untrained controls alike: results do not change."""
    enum = sources.torchvision_weights(TABLE[name]["architecture"])
    wanted = [enum["IMAGENET1K_V1"], enum.DEFAULT] if enum else []
    for member in wanted:
        assert preprocessing.of_torchvision(member, "")[:2] == (IMAGENET_MEAN, IMAGENET_STD)
    assert preprocessing.Preprocessing()[:2] == (IMAGENET_MEAN, IMAGENET_STD)


def every_weight():
    return [member for name in models.list_models() for member in models.get_model_weights(name)]


def test_every_published_weight_says_what_its_transforms_do():
    """Against the transforms themselves, on an image of one colour, which no resizing changes."""
    colour = torch.tensor([0.2, 0.5, 0.9])
    kinds = Counter()
    for member in every_weight():
        transforms = member.transforms()
        said = preprocessing.of_torchvision(member, str(member))
        kinds[type(transforms).__name__] += 1
        if type(transforms).__name__ not in (
            "ImageClassification",
            "ObjectDetection",
            "SemanticSegmentation",
        ):
            continue
        out = transforms(colour.view(3, 1, 1).expand(3, 40, 40).clone())
        mean, std = torch.tensor(said.mean), torch.tensor(said.std)
        torch.testing.assert_close(out[:, 0, 0], (colour - mean) / std, rtol=1e-4, atol=1e-4)
        assert str(member) in str(said)
    assert kinds["ImageClassification"] > 80
    assert kinds["ObjectDetection"] > 8


def test_the_size_of_the_weights_images_is_told():
    enum = models.get_model_weights("inception_v3")
    assert preprocessing.of_torchvision(enum.DEFAULT, "").size == "299 px, cut from 342 px, bilinear"


def convolutions_alone(self, features, num_classes=1000, init_weights=True, dropout=0.5):
    """Make a VGG without its classifier, which has nine tenths of the weights and no layer that is read."""
    nn.Module.__init__(self)
    self.features, self.avgpool, self.classifier = features, nn.AdaptiveAvgPool2d(1), nn.Linear(512, 2)


@pytest.mark.parametrize("known_by", ["name", "hash", "URL"])
def test_weights_of_other_constants_bring_them(saved, known_by, monkeypatch):
    """VGG-16 in Caffe's convention: 1/255 for a standard deviation."""
    monkeypatch.setattr(models.VGG, "__init__", convolutions_alone)
    path, entry = saved(models.vgg16(init_weights=False), architecture="vgg16", layers=["features.0"])
    member = models.VGG16_Weights.IMAGENET1K_FEATURES
    entry["weights"] = {"name": member.name, "URL": member.url, "hash": "mine.pth"}[known_by]
    if known_by == "hash":
        digits = sources.download_digits
        monkeypatch.setattr(
            sources, "download_digits", lambda u: entry["sha256"][:8] if u == member.url else digits(u)
        )
    network = networks.load(entry, path, device="cpu")
    assert (network.mean, network.std) == (VGG_MEAN, VGG_STD)
    assert "VGG16_Weights.IMAGENET1K_FEATURES" in network.preprocessing
    attributes = store.network_attributes(network, "linear")
    assert "0.48235" in attributes["preprocessing"]
    assert "VGG16_Weights.IMAGENET1K_FEATURES" in attributes["preprocessing"]
    other = networks.load(entry | {"weights": "IMAGENET1K_V1"}, path, device="cpu")
    assert (other.mean, other.std) == (IMAGENET_MEAN, IMAGENET_STD)


@pytest.mark.parametrize("declared", [True, False])
def test_the_table_goes_before_the_weights_and_a_difference_is_told_once(saved, caplog, declared):
    caplog.set_level(logging.INFO)
    mean, std = ([0.5] * 3, [0.25] * 3) if declared else (list(IMAGENET_MEAN), list(IMAGENET_STD))
    path, entry = saved(
        models.squeezenet1_1(), architecture="squeezenet1_1", weights="IMAGENET1K_V1", layers=["features.0"]
    )
    network = networks.load(entry | {"preprocess": {"mean": mean, "std": std}}, path, device="cpu")
    assert (network.mean, network.std) == (tuple(mean), tuple(std))
    assert "the model table's" in network.preprocessing
    assert network.preprocessing in caplog.text
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == declared
    if declared:
        assert all(part in warnings[0] for part in ["preprocess", "0.5", "0.485", "SqueezeNet1_1_Weights"])


def test_what_is_known_of_no_weights_is_imagenets():
    assert "ImageNet's" in untrained(small()).preprocessing
    network = untrained({"architecture": "fasterrcnn_mobilenet_v3_large_fpn", "layers": []})
    assert (network.mean, network.std) == ((0, 0, 0), (1, 1, 1))  # it normalises by itself
    assert "of this architecture" in network.preprocessing


# ---------------------------------------------------------------- builders


@pytest.mark.parametrize("architecture", ["googlenet", "inception_v3"])
@pytest.mark.parametrize("options", [{}, {"transform_input": True}, {"init_weights": True}])
def test_a_builder_makes_what_it_makes_for_its_weights(saved, architecture, options):
    """The weights want inputs in [-1, 1]: by torchvision's own builder, and by hand."""
    theirs = getattr(models, architecture)(init_weights=False, aux_logits=True)
    path, entry = saved(theirs, architecture=architecture, weights="IMAGENET1K_V1", options=options)
    network = networks.load(entry, path, device="cpu")
    assert network.module.transform_input
    first = next(name for name, m in network.module.named_modules() if isinstance(m, nn.Conv2d))
    seen = []
    network.module.get_submodule(first).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = noise(80, images=1)
    with torch.no_grad():
        network.module(network.preprocess(image))
    torch.testing.assert_close(seen[0], 2 * image - 1, rtol=1e-4, atol=1e-4)
    state = network.module.state_dict()
    assert all(torch.equal(state[name], theirs.state_dict()[name]) for name in state)


def test_a_declared_option_goes_before_the_builders_own_and_is_told(saved, caplog):
    theirs = models.googlenet(init_weights=False, aux_logits=True)
    path, entry = saved(theirs, architecture="googlenet", weights="IMAGENET1K_V1")
    network = networks.load(entry | {"options": {"transform_input": False}}, path, device="cpu")
    assert network.module.transform_input is False
    assert "transform_input: false is declared" in caplog.text


def test_vit_takes_the_size_of_its_weights(saved):
    entry = {"architecture": "vit_b_32", "layers": ["conv_proj"]}
    assert sources.torchvision_weights("vit_b_16")["IMAGENET1K_SWAG_E2E_V1"].meta["min_size"] == (384, 384)
    theirs = models.VisionTransformer(384, 16, 1, 2, 32, 32)
    path, found = saved(theirs, **entry | {"architecture": "vit_b_16", "weights": "IMAGENET1K_SWAG_E2E_V1"})
    # Of another depth, so that it does not fit; but it was built for 384 px.
    message = refusal(networks.load, found, path, device="cpu")
    assert "do not fit" in message


def test_options_against_the_weights_are_one_line(saved):
    path, entry = saved(models.resnet18(), architecture="resnet18", weights="IMAGENET1K_V1")
    message = refusal(networks.load, entry | {"options": {"num_classes": 10}}, path, device="cpu")
    assert all(part in message for part in ["resnet18", "num_classes", "1000"])


def test_no_backbone_is_fetched_for_an_untrained_network(monkeypatch):
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: pytest.fail("fetched"))
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url", lambda *_, **__: pytest.fail("fetched")
    )
    for architecture in ("fasterrcnn_mobilenet_v3_large_fpn", "lraspp_mobilenet_v3_large"):
        assert untrained({"architecture": architecture, "layers": []})


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ({"architecture": "resnet18", "options": {"num_class": 10}}, ["num_class", "nearest: num_classes"]),
        (
            {"architecture": "vgg11", "options": {"batchnorm": True}},
            ["batchnorm", "it takes", "init_weights"],
        ),
        (
            {"architecture": "torch.nn:Conv2d", "options": {"in_channels": 3}},
            ["torch.nn:Conv2d", "out_channels"],
        ),
        ({"architecture": "torch.nn:Conv2d", "options": {"kernel": 3}}, ["'kernel'", "kernel_size"]),
        (
            {"architecture": "resnet18", "options": {"weights": "IMAGENET1K_V1"}},
            ["options: weights", "entry"],
        ),
        ({"architecture": "densenet121", "options": {"growth_rate": 8}}, ["growth_rate"]),
        ({"architecture": "math:sqrt"}, ["math:sqrt"]),
        ({"architecture": "builtins:dict"}, ["gives dict, not a torch.nn.Module"]),
        (
            {"architecture": "torch.nn:LazyConv2d", "options": {"out_channels": 3, "kernel_size": 3}},
            ["weight has no shape", "lazy"],
        ),
    ],
)
def test_a_builder_that_does_not_take_its_options_is_one_line(entry, parts):
    message = refusal(untrained, entry | {"layers": []})
    assert all(part in message for part in parts)
    assert len(message) < 600


SHIM = """
import sys
sys.path.insert(0, {folder!r})
from texalign import networks
entry = {{"architecture": {architecture!r}, "weights": "untrained", "layers": []}}
print(type(networks.load(entry, device="cpu").module).__name__)
"""


@pytest.mark.parametrize(
    "text",
    [
        "import torchvision\nbuild = lambda: torchvision.models.resnet18()",
        "from torchvision.models import resnet18 as build",
        "from torchvision.ops import nms\nfrom torchvision import models\nbuild = models.resnet18",
    ],
)
def test_a_module_of_ones_own_may_import_torchvision(tmp_path, text):
    """In a process of its own, in which nobody has imported torchvision before."""
    (tmp_path / "own_builder.py").write_text(textwrap.dedent(text))
    script = SHIM.format(folder=str(tmp_path), architecture="own_builder:build")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ResNet", done.stderr


# ---------------------------------------------------------------- timm


@pytest.fixture
def timm():
    builders.provide_torchvision()
    return pytest.importorskip("timm", reason="timm is not installed")


def test_timm_loads_beside_this_torch(timm):
    script = SHIM.format(folder=str(ROOT), architecture="timm/resnet18")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ResNet", done.stderr


@pytest.mark.parametrize(
    "name",
    ["resnet18", "vit_tiny_patch16_224.augreg_in21k", "mobilenetv3_small_050", "tf_efficientnet_b0.ap_in1k"],
)
def test_timms_networks_bring_their_own(timm, name):
    network = untrained({"architecture": f"timm/{name}", "layers": []})
    cfg = timm.get_pretrained_cfg(name)
    assert (network.mean, network.std) == (tuple(cfg.mean), tuple(cfg.std))
    assert "pretrained_cfg" in network.preprocessing


def test_timms_own_words_are_one_line(timm):
    assert "nearest: num_classes" in refusal(
        untrained, {"architecture": "timm/resnet18", "options": {"num_class": 3}, "layers": []}
    )
    message = refusal(untrained, {"architecture": "timm/resnet1888", "layers": []})
    assert "no model of timm; nearest: resnet18" in message


def test_timms_swin_is_read_by_its_channels(timm):
    from texalign.readout import layer_shapes

    swin = {"architecture": "timm/swin_tiny_patch4_window7_224", "layers": ["layers.0", "layers.1"]}
    swin["options"] = {"img_size": 64, "window_size": 4}
    assert layer_shapes(untrained(swin), 64) == {"L1": (96, 16, 16), "L2": (192, 8, 8)}


@pytest.mark.parametrize(
    ("cfg", "mean"),
    [
        (
            {"mean": (0.5,) * 3, "std": (0.5,) * 3, "input_size": (3, 224, 224), "interpolation": "bicubic"},
            (0.5,) * 3,
        ),
        ({"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1], "architecture": "net", "tag": "a1"}, (0.1, 0.2, 0.3)),
        ({"mean": (0.5,), "std": (0.5,)}, None),
        ({}, None),
    ],
)
def test_a_config_of_timms_kind_is_read(cfg, mean):
    said = preprocessing.of_timm(cfg)
    assert (said and said.mean) == mean


def test_a_network_of_ones_own_may_carry_timms_config(tmp_path, monkeypatch):
    (tmp_path / "carrying.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    module = nn.Sequential(nn.Conv2d(3, 4, 3))\n"
        "    half = (0.5, 0.5, 0.5)\n"
        "    module.pretrained_cfg = {'mean': half, 'std': half, 'architecture': 'mine'}\n"
        "    return module\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    network = untrained({"architecture": "carrying:build", "layers": ["0"]})
    assert network.mean == (0.5, 0.5, 0.5)
    assert "pretrained_cfg of mine" in network.preprocessing
