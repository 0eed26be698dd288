"""What keeps an image's content while its texture is another's (Ulyanov et al., 2016, Eq. 6)."""

from dataclasses import replace

import torch

from texalign import readout as readouts
from texalign.errors import InputError


def content_maps(network, images, layer=None):
    """Feature maps that hold where things are.

    Parameters
    ----------
    network : networks.Network
    images : Tensor, shape (b, 3, H, W)
        In normalised units.
    layer : str, optional
        One of the network's layers, or the name of any of its modules (relu4_2 of VGG-19 is
        ``features.22``); the deepest of its layers where none is given.

    Returns
    -------
    Tensor, shape (b, N, H', W')
        Their positive part.

    Raises
    ------
    InputError
        The network has no such layer or module.
    """
    found = {}
    module = network.layers[_layer_of(network, layer)] if layer is None or layer in network.layers else layer
    if module not in dict(network.module.named_modules()):
        raise InputError(
            f"content_layer: {layer!r} is neither a layer nor a module of this network; "
            f"layers: {', '.join(network.layers)}"
        )
    reading = replace(network, layers={"content": module})
    images = images.to(next(network.module.parameters()).dtype, memory_format=torch.channels_last)
    readouts.read(reading, images, lambda name, maps: found.update({name: maps}), "relu")
    maps = found["content"]
    return maps if maps.dtype == torch.float64 else maps.float()


def _layer_of(network, layer):
    return layer or list(network.layers)[-1]


def content_loss(maps, wanted):
    """Squared distance at each place (Eq. 6), in units of the wanted maps' own variation about their means.

    So 0 is the content, and 1 what an image without any has; it depends neither on the network's scale
    nor on the size of the image.

    Parameters
    ----------
    maps, wanted : Tensor, shape (b, N, H', W')

    Returns
    -------
    Tensor, shape (b,)
    """
    varies = (wanted - wanted.mean((2, 3), keepdim=True)).square().sum((1, 2, 3))
    return (maps - wanted).square().sum((1, 2, 3)) / varies.clamp(min=1e-12)
