"""Texture losses: what an exemplar's feature maps are reduced to, and how far an image is from it.

Every loss has two methods, called for one layer at a time inside the forward pass:

``describe(layer, maps, draw)``
    The exemplars' statistics, a tuple of tensors whose first axis is the exemplar.
``distance(layer, maps, target, shape)``
    Each image's distance from its own statistics, shape (b,); differentiable. `shape` is the height
    and width of the exemplars' maps, for the statistics that need to know it.

All statistics are taken per position, so an image may be larger or smaller than its exemplar. For
equal sizes `Paper` and `Gatys` are exactly the equations that they name.
"""

from dataclasses import asdict, dataclass, fields

import torch
from torch.nn import functional

from texalign import InputError, gram


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

    def weight(self, layer):
        """Return the factor of a layer in the total."""
        return (self.layer_weights or {}).get(layer, 1.0)

    @property
    def options(self):
        """Every setting of the loss with its name in the registry, as plain values."""
        return {"name": next(name for name, kind in LOSSES.items() if type(self) is kind)} | asdict(self)


class Paper(Loss):
    """Gram loss of the misalignment paper (Eq. 2): Σ_l 1/(4 M_l N_l²) Σ_ij (G_ij − Ĝ_ij)².

    The Appendix (9.1) derives the weight as one over the loss to be expected of two unrelated images
    with independent standard normal features. It writes F_i F_j = (X² − Y²)/2 with X and Y standard
    normal, and gives this half difference the variance 2. But (Var X² + Var Y²)/4 = 1: the variance
    of F_i F_j is 1 for i ≠ j, and 2 only on the diagonal, where it is that of F_i². A Gram entry
    sums M of them and the difference of two independent Gram matrices doubles the variance, so that

        E[L] = 2M · N(N − 1) + 4M · N = 2 M N (N + 1),   and not 4 M N².

    The weight thus gives a layer (N + 1)/(2N) instead of 1: 0.516 at N = 32 and 0.500 at N = 2048.
    The layers' weights relative to each other are hardly touched, and the paper's is kept.

    Where the image has another size than the exemplar, M is the image's, and the exemplar's Gram
    matrix is scaled by the ratio of the positions.
    """

    def describe(self, layer, maps, draw=0):
        """Gram matrix per position, shape (b, N, N)."""
        return (gram.gram_matrices(maps) / maps[0, 0].numel(),)

    def distance(self, layer, maps, target, shape):
        """Squared Frobenius distance of the Gram matrices over 4 M N²."""
        n, m = maps.shape[1], maps[0, 0].numel()
        return gram_distance(maps, *target) * (m / (4 * n**2))


class Gatys(Paper):
    """Gram loss of Gatys et al. (2015, Eqs. 2-3): Σ_l w_l 1/(4 N_l² M_l²) Σ_ij (G_ij − T_ij)².

    Meant for rectified feature maps of the network that `gatys.prepare` makes.
    """

    readout = "relu"

    def distance(self, layer, maps, target, shape):
        """Squared Frobenius distance of the Gram matrices over 4 N² M²."""
        return gram_distance(maps, *target) / (4 * maps.shape[1] ** 2)


@dataclass(frozen=True)
class SlicedWasserstein(Loss):
    """Sliced Wasserstein distance of the features' distributions (Heitz et al., CVPR 2021).

    The maps' positions are a cloud of M points in N dimensions. It is projected onto random unit
    vectors; each projection is sorted and compared with the exemplar's, whose quantiles are
    interpolated when it has another number of positions. All of the distribution counts, and not
    its second moments alone.

    Parameters
    ----------
    layer_weights : dict of str to float, optional
        See `Loss`.
    directions : int, optional
        Number of unit vectors; as many as channels where none is given.
    redraw_every : int
        Steps of the optimiser for which the directions stay: within them it sees one fixed function.
    seed : int
        Of the directions.
    """

    directions: int | None = None
    redraw_every: int = 50
    seed: int = 0

    def describe(self, layer, maps, draw=0):
        """Directions (b, K, N) and the sorted projections on them (b, K, M)."""
        n = maps.shape[1]
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * draw)
        directions = functional.normalize(torch.randn(self.directions or n, n, generator=generator), dim=1)
        directions = directions.to(maps).expand(len(maps), -1, -1)
        return directions, (directions @ maps.flatten(2)).sort(dim=2).values

    def distance(self, layer, maps, target, shape):
        """Mean over directions and quantiles of the squared difference."""
        directions, wanted = target
        projected = (directions @ maps.flatten(2)).sort(dim=2).values
        if projected.shape != wanted.shape:
            wanted = functional.interpolate(wanted, projected.shape[2], mode="linear", align_corners=True)
        return (projected - wanted).square().mean(dim=(1, 2))


class MeanStd(Loss):
    """Mean and standard deviation of every feature map: what adaptive instance normalisation matches."""

    def describe(self, layer, maps, draw=0):
        """Means and standard deviations, shape (b, 2, N)."""
        variance, mean = torch.var_mean(maps, dim=(2, 3), correction=0)
        # The small number keeps the root's gradient finite where a rectified map is zero everywhere.
        return (torch.stack([mean, (variance + 1e-12).sqrt()], dim=1),)

    def distance(self, layer, maps, target, shape):
        """Squared differences, averaged over the channels."""
        return (self.describe(layer, maps)[0] - target[0]).square().sum(1).mean(1)


@dataclass(frozen=True)
class ShiftedGram(Loss):
    """Gram matrices of the maps with themselves, shifted (Berger and Memisevic, 2017).

    The plain Gram matrix forgets where features are. The products of F(x) with F(x + δ) keep how
    features go together over a distance, and with it regular and long-range structure.

    Parameters
    ----------
    layer_weights : dict of str to float, optional
        See `Loss`.
    shifts : tuple of float
        Distances, to the right and downwards, as shares of the exemplar's height and width.
    """

    shifts: tuple = (1 / 8, 1 / 4, 1 / 2)

    def describe(self, layer, maps, draw=0):
        """Gram matrices per position, the plain one first, shape (b, S, N, N)."""
        return (self._grams(maps, maps.shape[2:]),)

    def distance(self, layer, maps, target, shape):
        """Squared Frobenius distance, averaged over the shifts, weighted as in `Paper`."""
        n, m = maps.shape[1], maps[0, 0].numel()
        difference = self._grams(maps, shape) - target[0]
        return difference.square().sum(dim=(2, 3)).mean(1) * (m / (4 * n**2))

    def _grams(self, maps, shape):
        height, width = maps.shape[2:]
        down = {round(share * shape[0]) for share in self.shifts} - {0}
        right = {round(share * shape[1]) for share in self.shifts} - {0}
        if max(down, default=0) >= height or max(right, default=0) >= width:
            raise InputError(
                f"shifts: {max(self.shifts):g} of the exemplar is more than the image; make the image larger"
            )
        pairs = [(maps, maps)]
        pairs += [(maps[:, :, : height - d], maps[:, :, d:]) for d in sorted(down)]
        pairs += [(maps[..., : width - r], maps[..., r:]) for r in sorted(right)]
        return torch.stack([a.flatten(2) @ b.flatten(2).mT / a[0, 0].numel() for a, b in pairs], dim=1)


#: The registry: a name in the config → a loss.
LOSSES = {
    "paper": Paper,
    "gatys": Gatys,
    "sliced_wasserstein": SlicedWasserstein,
    "mean_std": MeanStd,
    "shifted_gram": ShiftedGram,
}


def get(loss, /, **options):
    """Find a loss by its name; a `Loss` is returned as it is.

    Raises
    ------
    InputError
        There is no such loss, or it has no such option; those it has are given.
    """
    if isinstance(loss, Loss):
        return loss
    if loss not in LOSSES:
        raise InputError(f"loss: {loss!r} is unknown; allowed: {', '.join(LOSSES)}")
    allowed = [option.name for option in fields(LOSSES[loss])]
    for option in options:
        if option not in allowed:
            raise InputError(f"loss: {loss} has no option {option!r}; allowed: {', '.join(allowed)}")
    return LOSSES[loss](**options)


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
