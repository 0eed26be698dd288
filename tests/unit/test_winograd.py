"""Winograd convolutions: the same numbers as the plain ones, from a quarter of the multiplications."""

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from texalign import networks
from texalign.fast import winograd
from texalign.readout import READOUTS, feature_maps


def both(conv, maps):
    """The Winograd convolution in float32, and the plain one in float64."""
    with torch.inference_mode():
        fast = winograd.WinogradConv2d(conv)(maps.to(memory_format=torch.channels_last))
        exact = nn.functional.conv2d(
            maps.double(),
            conv.weight.double(),
            None if conv.bias is None else conv.bias.double(),
            padding=conv.padding,
        )
    return fast, exact


def relative(fast, exact):
    return float((fast - exact).norm() / exact.norm())


@settings(deadline=None)  # the first call compiles
@given(
    st.integers(1, 3),
    st.sampled_from([1, 3, 16, 63, 65, 130]),
    st.integers(1, 9),
    st.sampled_from([3, 5]),
    st.tuples(st.integers(5, 19), st.integers(5, 19)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.booleans(),
)
def test_any_shape_gives_what_a_plain_convolution_gives(b, channels, kernels, size, maps, padding, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(channels, kernels, size, padding=padding, bias=bias)
    fast, exact = both(conv, torch.randn(b, channels, *maps))
    assert fast.shape == exact.shape
    assert relative(fast, exact) < 2e-5


def test_channels_in_several_parts_on_the_way_out():
    torch.manual_seed(0)
    fast, exact = both(nn.Conv2d(16, 130, 3, padding=1), torch.randn(2, 16, 13, 14))
    assert relative(fast, exact) < 1e-5


def test_more_tiles_than_fit_at_once():
    torch.manual_seed(0)
    conv, maps = nn.Conv2d(16, 16, 3, padding=1), torch.randn(3, 16, 70, 50)
    assert 3 * 14 * 10 % winograd.TILES != 0
    fast, exact = both(conv, maps)
    assert relative(fast, exact) < 1e-5


@pytest.mark.parametrize("size", [3, 5])
def test_kernels_are_evaluated_at_the_points(size):
    """The transformed kernel is its polynomial at each point, over the product of the point's distances."""
    kernel = torch.randn(size, dtype=torch.float64)
    values = winograd.kernel_transform(size) @ kernel
    for value, p in zip(values, winograd.POINTS, strict=False):
        weight = math.prod(p - q for q in winograd.POINTS if q != p)
        assert float(value) == pytest.approx(sum(float(k) * p**i for i, k in enumerate(kernel)) / weight)
    assert values[-1] == kernel[-1]


@pytest.mark.parametrize("size", [3, 5])
def test_rounding_at_the_studys_size_is_several_times_that_of_the_plain_convolution(size):
    torch.manual_seed(0)
    conv, maps = nn.Conv2d(256, 256, size, padding=size // 2), torch.randn(2, 256, 28, 28).relu()
    fast, exact = both(conv, maps)
    assert relative(fast, exact) < 8e-6


@pytest.mark.parametrize(("size", "maps", "saved"), [(3, 60, 225 / 49), (5, 36, 225 / 49)])
def test_the_multiplications_that_are_left(size, maps, saved, monkeypatch):
    """49 products for 25 pixels of 9, or for 9 pixels of 25, where the tiles fill the maps."""
    conv = nn.Conv2d(32, 64, size, padding=size // 2)
    module, taken = winograd.WinogradConv2d(conv), []
    multiply = module._multiply
    monkeypatch.setattr(
        module, "_multiply", lambda tiles: taken.append(tiles.numel() * 64) or multiply(tiles)
    )
    with torch.inference_mode():
        module(torch.randn(1, 32, maps, maps))
    assert maps**2 * size**2 * 32 * 64 / sum(taken) == pytest.approx(saved)


def test_not_a_number_is_carried_through():
    maps = torch.randn(1, 32, 12, 12)
    maps[0, 3, 5, 5] = torch.nan
    fast, _ = both(nn.Conv2d(32, 32, 3, padding=1), maps)
    assert fast[0, :, 5, 5].isnan().all()
    assert fast[0, :, 11, 11].isfinite().all()


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(128, 128, 3, stride=2),
        nn.Conv2d(128, 128, 3, dilation=2),
        nn.Conv2d(128, 128, 3, groups=2),
        nn.Conv2d(128, 128, 3, padding="same"),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(128, 128, 1),
        nn.Conv2d(3, 128, 3),
        nn.Conv2d(128, 16, 3),
        nn.Conv2d(128, 128, (3, 5)),
        nn.Linear(128, 128),
    ],
)
def test_what_it_cannot_do_or_not_faster_is_left_alone(conv):
    assert not winograd.gains(conv)


class Blocks(nn.Sequential):
    def __init__(self, middle):
        conv = [nn.Conv2d(3, 128, 3), nn.Conv2d(128, middle, 3, padding=1), nn.Conv2d(middle, 130, 3)]
        super().__init__(conv[0], nn.ReLU(inplace=True), conv[1], nn.ReLU(inplace=True), conv[2])


def network(middle=128, **changes):
    torch.manual_seed(0)
    return networks.Network(Blocks(middle).eval().requires_grad_(False), {"L1": "2", "L2": "4"}, **changes)


@pytest.mark.parametrize("readout", READOUTS)
def test_every_read_out_stays_and_the_argument_too(readout):
    plain = network()
    fast = winograd.speed_up(plain, 32)
    assert [type(module) for module in fast.module][::2] == [nn.Conv2d, *[winograd.WinogradConv2d] * 2]
    assert not any(isinstance(module, winograd.WinogradConv2d) for module in plain.module)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected, got = (feature_maps(n, n.preprocess(images), readout) for n in (plain, fast))
    for layer, maps in expected.items():
        torch.testing.assert_close(got[layer], maps, rtol=1e-4, atol=1e-5)


def test_twins_share_their_kernels_and_work_side_by_side():
    fast = winograd.speed_up(network(), 32)
    twin = networks.twin(fast)
    assert twin.module is not fast.module
    assert all(a is b for a, b in zip(fast.module.buffers(), twin.module.buffers(), strict=True))
    images = torch.rand(2, 3, 32, 32)

    def maps(n):
        with torch.inference_mode():
            return [feature_maps(n, n.preprocess(images)) for _ in range(4)]

    with ThreadPoolExecutor(2) as pool:  # a thread each: a network takes one batch at a time
        ours, theirs = pool.map(maps, [fast, twin])
    for result in ours + theirs:
        assert all(torch.equal(result[layer], ours[0][layer]) for layer in result)


def test_only_on_a_cpu_and_in_float32():
    for changes in ({"precision": "bf16"}, {"device": torch.device("meta")}):
        plain = network(**changes)
        assert winograd.speed_up(plain, 32) is plain


def test_a_torch_without_packed_kernels_keeps_its_own_convolutions(monkeypatch):
    monkeypatch.setattr(winograd.torch.ops, "mkldnn", object())
    plain = network()
    assert winograd.speed_up(plain, 32) is plain


def test_a_processor_of_a_class_that_gains_nothing_keeps_torchs_convolutions(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    plain = network()
    assert winograd.speed_up(plain, 32) is plain


PASSES = """
import os, sys
import numpy as np
import torch
from torch import nn
from test_winograd import network
from texalign.fast.prepare import prepare
from texalign.gram import extract

images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
blocks = [(start, images[start : start + 5]) for start in range(0, 20, 5)]
for threads in (1, 2, 4):
    torch.set_num_threads(threads)
    with prepare(network(192), 32, convolutions="auto") as fast:
        os.write(1, b"PASS\\n")
        extract.compute(fast, blocks, lambda *_: None, max_batch=extract.batch_size(fast, 32))
        os.write(1, b"DONE " + str(fast.changes).encode() + b"\\n")
"""


@pytest.mark.parametrize("processor", ["this one", "avx2"])
def test_packed_kernels_are_never_put_into_another_order(processor):
    """For whatever number of threads and class of processor, as oneDNN's own log tells."""
    emulated = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"} if processor == "avx2" else {}
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", PASSES],
        env=os.environ | {"ONEDNN_VERBOSE": "1", "PYTHONPATH": paths} | emulated,
        capture_output=True,
        text=True,
        check=True,
    )
    passes = [part.split("DONE")[0] for part in done.stdout.split("PASS")[1:]]
    assert len(passes) == done.stdout.count("Winograd convolutions") == 3
    # Plain convolutions have their few kernels put in order at each call; packed ones are of a grouped 1 x 1.
    orders = [line for part in passes for line in part.splitlines() if ",reorder," in line]
    assert not [line for line in orders if "aBdec" in line.split("src:")[1].split()[0] or "abcde" in line]
    assert sum(",exec,cpu,convolution" in line for part in passes for line in part.splitlines()) > 9


def test_a_network_that_would_change_is_left_alone(monkeypatch, caplog):
    exact = winograd.kernel_transform
    monkeypatch.setattr(winograd, "kernel_transform", lambda size: exact(size) * 1.001)
    plain = network()
    with caplog.at_level("INFO"):
        assert winograd.speed_up(plain, 32) is plain
    assert "a read-out would change by" in caplog.text
