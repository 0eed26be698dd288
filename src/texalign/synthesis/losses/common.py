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


#: Names of sets of weights, besides layers with a weight each.
WEIGHTS = ("paper", "balanced")


@dataclass(frozen=True)
class Loss:
    """What all losses have in common.

    Parameters
    ----------
    layer_weights : dict of str to float, {'paper', 'balanced'}, optional
        The factor of each layer (Gatys et al., Eq. 3: w_l), 1 for one without. ``paper``, or None, is 1
        for all: the loss as its paper has it. ``balanced`` weighs every term by one over its loss
        between halves of the exemplar, see `synthesis.balance`.
    scales : int, optional
        How many sizes of the image are compared, each half as large as the one before (Snelgrove,
        "High-resolution multi-scale neural texture synthesis", 2017). 3 where the weights are balanced
        and nothing is given, otherwise 1.
    pixels : float, optional
        Share of what is compared of the pixels themselves, see `synthesis.pixels`: in units of a layer's
        share. 1 where the weights are balanced and nothing is given, otherwise 0.
    """

    layer_weights: dict | str | None = None
    scales: int | None = None
    pixels: float | None = None

    #: How feature maps are taken where the caller does not say.
    readout = "linear"
    #: Optimiser steps for which random directions stay frozen; None where nothing is random.
    redraw_every = None

    def __post_init__(self):
        if isinstance(self.layer_weights, str) and self.layer_weights not in WEIGHTS:
            raise InputError(
                f"layer_weights: {self.layer_weights!r} is unknown; allowed: {', '.join(WEIGHTS)}, "
                "or layers with a weight each"
            )
        for layer, weight in self.weights.items():
            check_number(f"layer_weights: {layer}", weight, 0)
        for name, value in (("scales", 3 if self.balanced else 1), ("pixels", float(self.balanced))):
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        check_number("scales", self.scales, 1, whole=True)
        check_number("pixels", self.pixels, 0)

    @property
    def balanced(self):
        """Whether the weights are taken from each exemplar."""
        return self.layer_weights == "balanced"

    @property
    def weights(self):
        """The factors that were given, by layer."""
        return self.layer_weights if isinstance(self.layer_weights, dict) else {}

    def weight(self, layer):
        """Return the factor of a layer in the total; 1 where the exemplar gives them."""
        return self.weights.get(layer, 1.0)

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
