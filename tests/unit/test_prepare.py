"""What makes a network faster: done in order, told, the same numbers."""

import pytest
import torch
from architectures import noise, own, randomise_batchnorm, refusal
from torch import nn

from texalign.fast.prepare import CONVOLUTIONS, prepare
from texalign.fast.winograd import WinogradConv2d
from texalign.readout import feature_maps


@pytest.fixture
def network():
    """A convolution that Winograd's algorithm does faster, and a BatchNorm behind it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        chain = nn.Sequential(
            nn.Conv2d(3, 128, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(128, 128, 3, padding=1),
            nn.BatchNorm2d(128),
        )
    return own(randomise_batchnorm(chain), "0", "3")


FOLDED, WINOGRAD = "1 BatchNorm layers folded", "1 Winograd convolutions"


@pytest.mark.parametrize(
    ("options", "changes", "kind"),
    [
        ({"convolutions": "auto"}, (FOLDED, WINOGRAD), WinogradConv2d),
        ({"convolutions": "torch"}, (FOLDED,), nn.Conv2d),
        ({}, (FOLDED,), nn.Conv2d),  # a synthesis needs gradients
        ({"convolutions": "auto", "precision": "bf16"}, (FOLDED,), nn.Conv2d),
    ],
)
def test_what_was_done_is_told(network, options, changes, kind):
    with prepare(network, 32, **options) as fast:
        assert fast.changes == changes
        assert type(fast.module[2]) is kind
        assert fast.precision == options.get("precision", "float32")
    assert network.changes == ()
    assert isinstance(network.module[3], nn.BatchNorm2d)


@pytest.mark.parametrize("convolutions", CONVOLUTIONS)
def test_read_outs_stay(network, convolutions):
    batch = network.preprocess(noise(32))
    with prepare(network, 32, convolutions=convolutions) as fast, torch.inference_mode():
        ours, theirs = feature_maps(fast, batch), feature_maps(network, batch)
    for layer, maps in theirs.items():
        assert (ours[layer] - maps).abs().max() < 5e-5 * maps.abs().max()


def test_gradients_flow_where_the_convolutions_are_torchs(network):
    batch = network.preprocess(noise(32)).requires_grad_()
    with prepare(network, 32) as fast:
        sum(maps.square().mean() for maps in feature_maps(fast, batch).values()).backward()
    assert batch.grad.abs().max() > 0


def enter(network, **options):
    with prepare(network, 32, **options):
        pytest.fail("the block was entered")


def test_bad_choices_are_told(network):
    message = refusal(enter, network, convolutions="winograd")
    assert all(part in message for part in ["convolutions", "'winograd'", *CONVOLUTIONS])
    assert "'fp8'" in refusal(enter, network, precision="fp8")
