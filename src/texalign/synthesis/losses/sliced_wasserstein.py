"""The sliced Wasserstein distance of feature distributions."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from texalign.synthesis.losses.common import Loss, check_number


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

    def __post_init__(self):
        super().__post_init__()
        for name, least in (("directions", 1), ("redraw_every", 1), ("seed", 0)):
            if (value := getattr(self, name)) is not None:
                check_number(name, value, least, whole=True)

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
