"""What a forward pass computes in: a copy, close to float32, and nothing is left switched."""

import pytest
import torch
from architectures import noise, own, refusal, resnet18
from torch import nn

from texalign.fast.precision import PRECISIONS, computing_in
from texalign.readout import feature_maps

LIBRARIES = (torch.backends.cuda.matmul, torch.backends.cudnn)


def switches():
    return tuple(library.allow_tf32 for library in LIBRARIES)


@pytest.fixture(params=[(True, False), (False, True)])
def before(request):
    """Switch the libraries as no precision would have them."""
    usual = switches()
    for library, allowed in zip(LIBRARIES, request.param, strict=True):
        library.allow_tf32 = allowed
    yield request.param
    for library, allowed in zip(LIBRARIES, usual, strict=True):
        library.allow_tf32 = allowed


@pytest.fixture
def network():
    return own(nn.Sequential(nn.Conv2d(3, 4, 3)), "0")


def enter(network, precision):
    with computing_in(network, precision):
        pytest.fail("the block was entered")


def test_bad_precision(network):
    message = refusal(enter, network, "fp16")
    assert all(part in message for part in ["precision", "'fp16'", *PRECISIONS])


def test_bf16_is_a_copy_and_close():
    network = resnet18("bn1", "layer1.0.bn1")
    with computing_in(network, "bf16") as ours, torch.no_grad():
        assert {p.dtype for p in network.module.parameters()} == {torch.float32}
        assert (network.dtype, ours.dtype) == (torch.float32, torch.bfloat16)
        exact = feature_maps(network, network.preprocess(noise(64)))
        rough = feature_maps(ours, ours.preprocess(noise(64)))
    for layer, maps in exact.items():
        assert rough[layer].dtype == torch.bfloat16
        assert 1e-4 < (rough[layer] - maps).norm() / maps.norm() < 2e-2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_switches_hold_inside_the_block_and_are_put_back(network, precision, before):
    with computing_in(network, precision) as ours:
        assert ours.precision == precision
        assert (ours.module is network.module) == (precision != "bf16")
        assert switches() == (precision == "tf32",) * 2
    assert switches() == before
    with pytest.raises(ZeroDivisionError), computing_in(network, precision):
        raise ZeroDivisionError
    assert switches() == before
    assert network.precision == "float32"
