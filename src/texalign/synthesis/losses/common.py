"""What all losses have in common: their settings, and the distance of Gram matrices.

Every loss has two methods, called for one layer at a time inside the forward pass:

``describe(layer, maps, draw)``
    The exemplars' statistics, a tuple of tensors whose first axis is the exemplar.
``distance(layer, maps, target, shape)``
    Each image's distance from its own statistics, shape (b,); differentiable. `shape` is the height
    and width of the exemplars' maps, for the statistics that need to know it.

All statistics are taken per position, so an image may be larger or smaller than its exemplar. For
equal sizes `Paper` and `Gatys` are exactly the equations that they name.
"""

import math
from dataclasses import asdict, dataclass

import torch

from texalign.errors import InputError


def check_number(name, value, least, whole=False):
    """Refuse an option that is not a finite number of at least `least`, or not whole where it must be."""
    number = isinstance(value, int) if whole else isinstance(value, int | float) and math.isfinite(value)
    if isinstance(value, bool) or not number or value < least:
        kind = "whole" if whole else "finite"
        raise InputError(f"{name}: {value!r} given; a {kind} number of at least {least} is needed")


@dataclass(frozen=True)
class Loss:
    """What all losses have in common.

    Parameters
    ----------
    layer_weights : dict of str to float, optional
        The factor of each layer (Gatys et al., Eq. 3: w_l); 1 where none is given.
    """

    layer_weights: dict | None = None

    #: How feature maps are taken where the caller does not say.
    readout = "linear"
    #: Optimiser steps for which random directions stay frozen; None where nothing is random.
    redraw_every = None

    def __post_init__(self):
        for layer, weight in (self.layer_weights or {}).items():
            check_number(f"layer_weights: {layer}", weight, 0)

    def weight(self, layer):
        """Return the factor of a layer in the total."""
        return (self.layer_weights or {}).get(layer, 1.0)

    @property
    def options(self):
        """Every setting of the loss with its name in the registry, as plain values."""
        return {"name": type(self).__module__.rpartition(".")[2]} | asdict(self)


class _GramDistance(torch.autograd.Function):
    """‖F Fᵀ/M − T‖² of each image, with the gradient 4/M (F Fᵀ/M − T) F written by hand.

    Autograd would multiply twice, once for each F, and transpose channels-last maps.
    """

    @staticmethod
    def forward(ctx, maps, target):
        rows = maps.permute(0, 2, 3, 1).flatten(1, 2)
        difference = torch.baddbmm(target, rows.mT, rows, beta=-1, alpha=1 / rows.shape[1])
        ctx.save_for_backward(maps, difference)
        return difference.square().sum(dim=(1, 2))

    @staticmethod
    def backward(ctx, gradient):
        maps, difference = ctx.saved_tensors
        rows = maps.permute(0, 2, 3, 1).flatten(1, 2)
        factor = (4 / rows.shape[1] * gradient)[:, None, None]
        return (rows @ (difference * factor)).unflatten(1, maps.shape[2:]).permute(0, 3, 1, 2), None


def gram_distance(maps, target):
    """Squared Frobenius distance of the Gram matrices per position from their targets.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W)
        Fastest in channels-last layout.
    target : Tensor, shape (b, N, N)
        Symmetric.

    Returns
    -------
    Tensor, shape (b,)
    """
    return _GramDistance.apply(maps, target)
