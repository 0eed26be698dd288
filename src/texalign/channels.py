"""Which axis of a module's output is its channels: the one whose length is the same for every image size."""

import torch
from torch import nn

from texalign import tokens

AXES = ("first", "last")

#: Modules whose output is (b, N, H, W) by their definition, for what behaviour leaves open.
_FIRST = (
    *(nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d),
)


def by_definition(module):
    """``first`` or ``last`` for torch's own modules and subclasses with their forward; else None."""
    if isinstance(module, nn.LayerNorm) and len(module.normalized_shape) == 1:
        return "last" if type(module).forward is nn.LayerNorm.forward else None
    same = any(isinstance(module, kind) and type(module).forward is kind.forward for kind in _FIRST)
    return "first" if same else None


def by_behaviour(shape, other):
    """Compare the shapes of one output for images of two sizes, without the batch.

    Parameters
    ----------
    shape, other : tuple of int, length 3, or 2 for tokens

    Returns
    -------
    {'first', 'last'} or None
        None where more or fewer axes than one keep their length.

    Examples
    --------
    >>> by_behaviour((96, 16, 16), (96, 24, 24)), by_behaviour((16, 16, 96), (24, 24, 96))
    ('first', 'last')
    >>> by_behaviour((197, 192), (65, 192))
    'last'
    """
    kept = [ours == theirs for ours, theirs in zip(shape, other, strict=True)]
    if sum(kept) != 1 or not (kept[0] or kept[-1]):
        return None
    return "first" if kept[0] else "last"


def seen(module, shape):
    """Shape of an output of which torch or a norm defines the channels, with these at its end.

    Parameters
    ----------
    module : nn.Module
    shape : tuple of int
        Of its output, without the batch.

    Returns
    -------
    set of tuple of int
        One, or none: for any other module, and where several axes are as long as a norm's weights.
    """
    length, shape = getattr(module, "normalized_shape", ()), tuple(shape)
    if by_definition(module) == "first" and len(shape) == 3:
        return {(*shape[1:], shape[0])}
    if not isinstance(length, tuple) or len(length) != 1 or shape.count(length[0]) != 1:
        return set()
    if shape[-1] == length[0]:
        return {shape}
    return {(*shape[1:], shape[0])} if shape[0] == length[0] else set()


def by_others(shape, others):
    """Tell an output's channels by the places, or else the channels, of other modules' outputs.

    It serves where a network takes images of one size only, as many a transformer.

    Parameters
    ----------
    shape : tuple of int
        Of the output, without the batch.
    others : set of tuple of int
        See `seen`.

    Returns
    -------
    {'first', 'last'} or None

    Examples
    --------
    >>> by_others((16, 16, 96), {(16, 16, 48)}), by_others((96, 49), {(49, 48)}), by_others((8, 8), {(8, 8)})
    ('last', 'first', None)
    >>> by_others((49, 96), {(50, 96)})
    'last'
    """
    others = [other for other in others if len(other) == len(shape)]
    places, lengths = {other[:-1] for other in others}, {other[-1] for other in others}
    last, first = shape[:-1] in places, shape[1:] in places
    if last == first:
        last, first = shape[-1] in lengths, shape[0] in lengths
    return None if last == first else "last" if last else "first"


def another_size(size):
    """Another height or width in pixels at which a network is tried: about half, a multiple of 32."""
    return 32 * round(size / 64) if size >= 64 else size + 32


def twice(size):
    """Twice the height or width, where half of it is too little for a network, or shows no difference."""
    return 2 * size


def to_front(maps, axis, image, prefix=0):
    """Feature maps with their channels at `axis` → (b, N, H', W'), without a copy.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H', W') or (b, H', W', N), or tokens (b, T, N) or (b, N, T)
    axis : {'first', 'last'}
    image : (int, int)
        Height and width of the image in pixels, over which tokens lie.
    prefix : int
        Tokens in front that are left out.
    """
    if maps.ndim == 3:
        return tokens.to_maps(maps, axis, prefix, image)
    return maps.movedim(-1, 1) if axis == "last" else maps


def lay_out(module):
    """Put a network's 4-D parameters and buffers into channels-last layout, in place, and return it."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
    return module
