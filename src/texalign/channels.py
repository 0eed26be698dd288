"""Which axis of a module's output is its channels: the one whose length is the same for every image size."""

import torch
from torch import nn

AXES = ("first", "last")

#: Modules whose output is (b, N, H, W) by their definition, for what behaviour leaves open.
_FIRST = (
    *(nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d),
)


def by_definition(module):
    """``first`` for torch's own two-dimensional modules and subclasses with their forward; else None."""
    same = any(isinstance(module, kind) and type(module).forward is kind.forward for kind in _FIRST)
    return "first" if same else None


def by_behaviour(shape, other):
    """Compare the shapes of one output for images of two sizes, without the batch.

    Parameters
    ----------
    shape, other : tuple of int, length 3

    Returns
    -------
    {'first', 'last'} or None
        None where more or fewer axes than one keep their length.

    Examples
    --------
    >>> by_behaviour((96, 16, 16), (96, 24, 24)), by_behaviour((16, 16, 96), (24, 24, 96))
    ('first', 'last')
    """
    kept = [ours == theirs for ours, theirs in zip(shape, other, strict=True)]
    return {(True, False, False): "first", (False, False, True): "last"}.get(tuple(kept))


def another_size(size):
    """Another height or width in pixels at which a network is tried: about half, a multiple of 32."""
    return 32 * round(size / 64) if size >= 64 else size + 32


def twice(size):
    """Twice the height or width, where half of it is too little for a network, or shows no difference."""
    return 2 * size


def to_front(maps, axis):
    """Feature maps with their channels at `axis` → (b, N, H, W), without a copy."""
    return maps.movedim(-1, 1) if axis == "last" else maps


def lay_out(module):
    """Put a network's 4-D parameters and buffers into channels-last layout, in place, and return it."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
    return module
