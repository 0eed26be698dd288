"""Winograd convolutions: the same numbers as the plain ones, from a quarter of the multiplications."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from texalign import networks, winograd


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


@given(
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 9),
    st.tuples(st.integers(1, 19), st.integers(1, 19)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.booleans(),
)
def test_any_shape_gives_what_a_plain_convolution_gives(b, channels, kernels, size, padding, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(channels, kernels, 3, padding=padding, bias=bias)
    fast, exact = both(conv, torch.randn(b, channels, *size))
    assert fast.shape == exact.shape
    assert relative(fast, exact) < 5e-6


def test_a_batch_in_parts_gives_what_it_gives_at_once(monkeypatch):
    torch.manual_seed(0)
    conv, maps = nn.Conv2d(16, 16, 3, padding=1), torch.randn(3, 16, 70, 50)
    module = winograd.WinogradConv2d(conv)
    with torch.inference_mode():
        whole = module(maps)
        monkeypatch.setattr(winograd, "WORKSPACE", 0)
        assert len(list(module._parts(3, 18, 13))) == 6
        assert relative(module(maps), whole) < 1e-6


def test_rounding_at_the_studys_size_is_a_few_times_that_of_the_plain_convolution():
    torch.manual_seed(0)
    conv, maps = nn.Conv2d(256, 256, 3, padding=1), torch.randn(2, 256, 28, 28).relu()
    fast, exact = both(conv, maps)
    assert relative(fast, exact) < 4e-6


def test_a_quarter_of_the_multiplications():
    conv, maps = nn.Conv2d(128, 128, 3, padding=1), torch.randn(1, 128, 28, 28)
    counts = []
    for module in (conv, winograd.WinogradConv2d(conv)):
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            module(maps)
        counts.append(counter.get_total_flops())
    assert counts[1] * 4 == counts[0]


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(128, 128, 3, stride=2),
        nn.Conv2d(128, 128, 3, dilation=2),
        nn.Conv2d(128, 128, 3, groups=2),
        nn.Conv2d(128, 128, 3, padding="same"),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(128, 128, 1),
        nn.Conv2d(64, 128, 3),
        nn.Linear(128, 128),
    ],
)
def test_what_it_cannot_do_or_not_faster_is_left_alone(conv):
    assert not winograd.gains(conv)


class Blocks(nn.Sequential):
    def __init__(self):
        conv = [nn.Conv2d(3, 128, 3), nn.Conv2d(128, 128, 3, padding=1), nn.Conv2d(128, 130, 3)]
        super().__init__(conv[0], nn.ReLU(inplace=True), conv[1], nn.ReLU(inplace=True), conv[2])


def network(**changes):
    torch.manual_seed(0)
    return networks.Network(Blocks().eval().requires_grad_(False), {"L1": "2", "L2": "4"}, **changes)


@pytest.mark.parametrize("readout", networks.READOUTS)
def test_every_read_out_stays_and_the_argument_too(readout):
    plain = network()
    fast = winograd.speed_up(plain, 32)
    assert [type(module) for module in fast.module][::2] == [nn.Conv2d, *[winograd.WinogradConv2d] * 2]
    assert not any(isinstance(module, winograd.WinogradConv2d) for module in plain.module)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected, got = (networks.feature_maps(n, n.preprocess(images), readout) for n in (plain, fast))
    for layer, maps in expected.items():
        torch.testing.assert_close(got[layer], maps, rtol=1e-4, atol=1e-5)


def test_only_on_a_cpu_and_in_float32():
    for changes in ({"precision": "bf16"}, {"device": torch.device("meta")}):
        plain = network(**changes)
        assert winograd.speed_up(plain, 32) is plain


def test_a_network_that_would_change_is_left_alone(monkeypatch, caplog):
    monkeypatch.setattr(winograd, "KERNEL_TRANSFORM", winograd.KERNEL_TRANSFORM * 1.001)
    plain = network()
    with caplog.at_level("INFO"):
        assert winograd.speed_up(plain, 32) is plain
    assert "a read-out would change by" in caplog.text
