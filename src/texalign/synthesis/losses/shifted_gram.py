"""Gram matrices of shifted feature maps."""

from dataclasses import dataclass

import torch

from texalign.errors import InputError
from texalign.synthesis.losses.common import Loss, check_number


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

    def __post_init__(self):
        super().__post_init__()
        for share in self.shifts:
            check_number("shifts", share, 0)

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
