"""Textures between two: statistics interpolated, for all layers alike or for each by itself."""

import torch
from torch.nn import functional

from texalign.errors import InputError
from texalign.synthesis import pixels
from texalign.synthesis.objective import Objective, of_layers


class BlendObjective(Objective):
    """The losses of several images against statistics between two exemplars'.

    Parameters
    ----------
    network, loss, readout, layers
        See `Objective`.
    exemplars : (array, array)
        The first has the coordinate 0, the second 1.
    coordinates : sequence of dict of str to float
        For each image where it lies in each term: under each name of `objective.names_of`. See `between`
        and `by_layer`.
    """

    def __init__(self, network, exemplars, coordinates, loss="paper", readout=None, layers=None):
        self.ends = ()
        super().__init__(network, exemplars, loss, readout, layers)
        self.ends = self.exemplars
        for place in coordinates:
            for name in self.names:
                if not 0 <= place.get(name, -1) <= 1:
                    raise InputError(
                        f"blend: {name}: {place.get(name)} given; a number from 0 to 1 is needed"
                    )
        self.coordinates = [{name: place[name] for name in self.names} for place in coordinates]
        # For what is asked of an exemplar besides its statistics: the spectrum of the noise to begin with.
        self.exemplars = torch.stack(
            [torch.lerp(*self.ends, sum(place.values()) / len(place)) for place in self.coordinates]
        )
        self.draws, self.most = [0] * len(self.coordinates), len(self.coordinates)
        self.targets = [self._describe(index) for index in range(len(self.coordinates))]
        if self.weights is not None:
            self.weights = [_weights_between(*self.weights, place) for place in self.coordinates]

    def _describe(self, index):
        if not len(self.ends):
            return super()._describe(index)
        draw = self.draws[index]
        return _between(*(self.describe(end, draw) for end in self.ends), self.coordinates[index])

    def reduced(self, which, factor, names):
        """Make the objective of smaller images, between smaller exemplars, by some of the layers."""
        ends = [self.display(one).clamp(0, 1) for one in functional.avg_pool2d(self.ends, factor)]
        coordinates = [self.coordinates[index] for index in which]
        loss = of_layers(self.loss, names)
        return BlendObjective(self.network, ends, coordinates, loss, self.readout, names)


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

    What is compared of the pixels comes before the layers.

    Examples
    --------
    >>> by_layer(["L1", "patches"])[1]
    {'patches': 1.0, 'L1': 0.0}
    """
    names = [name for name in names if name in pixels.SHARES] + [n for n in names if n not in pixels.SHARES]
    return [{name: float(i < count) for i, name in enumerate(names)} for count in range(len(names) + 1)]


def titles(places, by):
    """Say of each image where it is: its coordinate, or the last term that has the second end's statistics.

    Examples
    --------
    >>> titles(between(["L1"], 2), "all"), titles(by_layer(["L1"]), "layer")
    (['0.00', '1.00'], ['none', '+ L1'])
    """
    if by == "all":
        return [f"{next(iter(place.values())):.2f}" for place in places]
    names = list(places[0])
    return ["none", *(f"+ {name}" for name in names)]


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
