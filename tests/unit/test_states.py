"""Files of weights: out of what training programs wrap them in, where one choice fits."""

import logging

import pytest
import torch
from architectures import refusal
from torch import nn
from torch.optim.swa_utils import AveragedModel

from texalign import states


def network(seed=0, channels=4):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), nn.Sequential(nn.Linear(4, 2)))


def prefixed(prefix, state):
    return {prefix + name: value for name, value in state.items()}


OURS = network(1).state_dict()
OTHER = network(2).state_dict()
LARGER = network(3, channels=8).state_dict()


@pytest.fixture
def loaded(tmp_path):
    """Load something, written as a file, into a fresh network."""

    def load(content, **keys):
        torch.save(content, tmp_path / "mine.pth")
        module = network()
        states.load_state(module, tmp_path / "mine.pth", **keys)
        return module

    return load


def compiled():
    return prefixed("_orig_mod.", OURS)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (OURS, []),
        ({"state_dict": OURS, "epoch": 3}, ["'state_dict' is taken"]),
        ({"model": OURS, "optimizer": {"state": {0: torch.ones(2)}}}, ["'model' is taken"]),
        ({"net": OURS, "args": "--lr 1"}, ["'net' is taken"]),
        ({"ema": {"decay": 0.9, "shadow": OURS}}, ["'ema.shadow' is taken"]),
        (prefixed("module.", OURS), ["begin with 'module.'"]),
        (prefixed("module.module.", OURS), ["begin with 'module.module.'"]),
        (compiled(), []),
        (prefixed("module.", compiled()), ["begin with 'module.'"]),
        ({name.replace("2.0.", "2._orig_mod.0."): value for name, value in OURS.items()}, []),
        (
            {
                "state_dict": prefixed("model.", OURS) | {"loss.weight": torch.ones(3)},
                "pytorch-lightning_version": "2",
            },
            ["'state_dict' is taken", "begin with 'model.'", "left out: loss.weight"],
        ),
        (AveragedModel(network(1)).state_dict(), ["begin with 'module.'", "left out: n_averaged"]),
        ({"student": prefixed("backbone.", OURS), "head": LARGER}, ["'student' is taken", "'backbone.'"]),
        ({name: value for name, value in OURS.items() if "tracked" not in name}, []),
        ({name: value.double() for name, value in OURS.items()}, []),
    ],
    ids=range(15),
)
def test_what_fits_in_one_way_is_taken_and_told(loaded, caplog, content, told):
    caplog.set_level(logging.INFO)
    state = loaded(content).state_dict()
    assert all(torch.equal(state[name], value) for name, value in OURS.items() if "tracked" not in name)
    assert all(part in caplog.text for part in told)
    assert bool(caplog.text) == bool(told)


@pytest.mark.parametrize(
    ("content", "choices", "keys"),
    [
        (
            {"state_dict": OTHER, "state_dict_ema": OURS},
            ["'state_dict'", "'state_dict_ema'"],
            {"state_key": "state_dict_ema"},
        ),
        ({"model": OTHER, "ema": {"model": OURS}}, ["'model'", "'ema.model'"], {"state_key": "ema.model"}),
        (
            prefixed("encoder_q.", OTHER) | prefixed("encoder_k.", OURS),
            ["'encoder_q.'", "'encoder_k.'"],
            {"strip_prefix": "encoder_k."},
        ),
        (
            {"a": prefixed("module.", OURS), "b": prefixed("module.", OTHER)},
            ["state_key: 'a', strip_prefix: 'module.'"],
            {"state_key": "a", "strip_prefix": "module."},
        ),
    ],
    ids=range(4),
)
def test_what_fits_in_several_ways_has_to_be_chosen(loaded, content, choices, keys):
    message = refusal(loaded, content)
    assert all(part in message for part in ["mine.pth", "several of its weights fit", "choose one", *choices])
    state = loaded(content, **keys).state_dict()
    assert all(torch.equal(state[name], value) for name, value in OURS.items())


@pytest.mark.parametrize(
    ("content", "keys", "parts"),
    [
        ({}, {}, ["missing: 0.weight, 0.bias, 1.weight and 5 more"]),
        (LARGER, {}, ["shapes: 0.weight (8, 3, 3, 3), not (4, 3, 3, 3)"]),
        (OURS | {"more": torch.ones(1)}, {}, ["not of it: more"]),
        (prefixed("model.", LARGER), {}, ["strip_prefix: 'model.'", "0.weight (8, 3, 3, 3)"]),
        (
            prefixed("model.", OURS | {"more": torch.ones(1)}),
            {},
            ["strip_prefix: 'model.'", "not of it: more"],
        ),
        (
            {"state_dict": LARGER, "ema": {"state_dict": {"x": torch.ones(1)}}},
            {},
            ["state_key: 'state_dict'", "it holds state_dict (9 tensors), ema.state_dict (1 tensors)"],
        ),
        (
            {"model": OURS},
            {"state_key": "ema"},
            ["state_key: 'ema' is no state dict in it", "model (9 tensors)"],
        ),
        (OURS, {"strip_prefix": "module."}, ["missing: 0.weight"]),
        ({"epoch": 3}, {}, ["holds no state dict", "module.state_dict()"]),
        ({"a": {"b": {"c": {"d": {"e": OURS}}}}}, {}, ["holds no state dict"]),
    ],
    ids=range(10),
)
def test_what_does_not_fit_names_what_is_wrong(loaded, content, keys, parts):
    message = refusal(loaded, content, **keys)
    assert all(part in message for part in ["mine.pth", *parts])
    assert len(message) < 600


@pytest.mark.parametrize(
    ("dtype", "word"),
    [
        *[(torch.int8, "int8"), (torch.uint8, "uint8"), (torch.int64, "int64"), (torch.bool, "bool")],
        *[(torch.complex64, "complex64"), (torch.complex128, "complex128")],
    ],
)
@pytest.mark.parametrize("name", ["0.weight", "1.running_mean", "2.0.bias"])
def test_integer_and_complex_weights_are_refused(loaded, dtype, word, name):
    message = refusal(loaded, OURS | {name: OURS[name].to(dtype)})
    assert all(part in message for part in ["mine.pth", f"{name} is {word}, not float32"])


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_weights_are_refused(loaded):
    quantised = torch.quantize_per_tensor(OURS["0.weight"], 0.1, 0, torch.qint8)
    refusal(loaded, OURS | {"0.weight": quantised})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_real_weights_of_another_precision_are_taken(loaded, dtype):
    state = {name: v.to(dtype) if v.is_floating_point() else v for name, v in OURS.items()}
    taken = loaded(state).state_dict()
    assert all(torch.equal(taken[name], value.to(taken[name].dtype)) for name, value in state.items())
