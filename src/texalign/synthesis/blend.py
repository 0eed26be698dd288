"""Textures between two: statistics interpolated, for all layers alike or for each by itself."""

import torch

from texalign.errors import InputError
from texalign.synthesis.objective import Objective


class BlendObjective(Objective):
    """The loss against statistics between two exemplars'.

    Parameters
    ----------
    network, loss, readout, layers
        See `Objective`.
    exemplars : (array, array)
        The first has the coordinate 0, the second 1.
    coordinates : sequence of dict of str to float
        For each image and name of a term where it lies; see `between` and `by_layer`.
    """

    def __init__(self, network, exemplars, coordinates, loss="paper", **options):
        self.coordinates, self.ends = (), ()
        super().__init__(network, exemplars, loss, **options)
        self.coordinates, self.ends = list(coordinates), self.exemplars
        for place in self.coordinates:
            for name in self.names:
                if not 0 <= place.get(name, -1) <= 1:
                    raise InputError(
                        f"blend: {name}: {place.get(name)} given; a number from 0 to 1 is needed"
                    )
        # Each image has targets of its own, and the nearer end for what else is asked of an exemplar.
        self.exemplars = torch.stack([self.ends[round(_mean(place))] for place in self.coordinates])
        self.draws, self.most = [0] * len(self.coordinates), len(self.coordinates)
        self.targets = [self._describe(index) for index in range(len(self.coordinates))]
        if self.weights is not None:
            self.weights = [_weights_between(*self.weights, place) for place in self.coordinates]

    def _describe(self, index):
        if not len(self.ends):
            return super()._describe(index)
        draw = self.draws[index]
        return _between(*(self.describe(end, draw) for end in self.ends), self.coordinates[index])


def between(names, steps):
    """List coordinates of images in equal steps from one end to the other, the same for all terms.

    Examples
    --------
    >>> between(["L1"], 3)
    [{'L1': 0.0}, {'L1': 0.5}, {'L1': 1.0}]
    """
    return [dict.fromkeys(names, step / (steps - 1)) for step in range(steps)]


def by_layer(names):
    """List coordinates of images that have the second end's statistics in no term, in the first, in two, ...

    Examples
    --------
    >>> by_layer(["L1", "L2"])[1]
    {'L1': 1.0, 'L2': 0.0}
    """
    return [{name: float(i < count) for i, name in enumerate(names)} for count in range(len(names) + 1)]


def _mean(place):
    return sum(place.values()) / len(place)


def _between(one, other, place):
    """Targets between those of two exemplars."""
    found = {}
    for key, (statistics, shape) in one.items():
        share = place[key[0]]
        pairs = zip(statistics, other[key][0], strict=True)
        found[key] = (tuple(torch.lerp(a, b, share) for a, b in pairs), shape)
    return found


def _weights_between(one, other, place):
    """Weights whose inverses, losses between halves, lie between."""
    found = {}
    for key, weight in one.items():
        share = place[key[0]]
        pair = (weight, other[key])
        found[key] = 1 / ((1 - share) / weight + share / other[key]) if all(pair) else max(pair)
    return found
