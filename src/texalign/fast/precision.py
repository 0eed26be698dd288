"""What a forward pass computes in."""

import contextlib
import copy
from dataclasses import replace

import torch

from texalign import channels
from texalign.errors import InputError

PRECISIONS = ("float32", "tf32", "bf16")


@contextlib.contextmanager
def computing_in(network, precision):
    """Have a network compute in ``float32``, ``tf32`` (CUDA only) or ``bf16`` inside a ``with`` block.

    Gram products are taken in float32 from whatever maps come out.

    Yields
    ------
    networks.Network
        With a module of its own where its parameters change their type.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision: {precision!r} is not allowed; use one of {', '.join(PRECISIONS)}")
    libraries = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [library.allow_tf32 for library in libraries]
    for library in libraries:
        library.allow_tf32 = precision == "tf32"
    try:
        if precision == "bf16":
            module = channels.lay_out(copy.deepcopy(network.module).to(torch.bfloat16))
            network = replace(network, module=module)
        yield replace(network, precision=precision)
    finally:
        for library, allowed in zip(libraries, before, strict=True):
            library.allow_tf32 = allowed
