"""All that makes a network faster, in one place and in the right order."""

import contextlib

from texalign.errors import InputError
from texalign.fast.fold import fold_batchnorm
from texalign.fast.precision import computing_in

CONVOLUTIONS = ("auto", "torch")


@contextlib.contextmanager
def prepare(network, size, precision="float32", convolutions="torch"):
    """Make a network faster inside a ``with`` block.

    Parameters
    ----------
    network : networks.Network
    size : int
        Pixels of the image on which the read-outs before and after are compared.
    precision : {'float32', 'tf32', 'bf16'}
    convolutions : {'auto', 'torch'}
        ``auto`` takes Winograd's algorithm where it is faster; the result then records no gradient.

    Yields
    ------
    networks.Network
        What was done to it is in its `changes`.
    """
    if convolutions not in CONVOLUTIONS:
        raise InputError(f"convolutions: {convolutions!r} is not allowed; use {' or '.join(CONVOLUTIONS)}")
    with computing_in(fold_batchnorm(network, size), precision) as fast:
        if convolutions == "auto":
            from texalign.fast.winograd import speed_up  # compiles, so only where it is wanted

            fast = speed_up(fast, size)
        yield fast
