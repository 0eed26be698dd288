"""Weights that let every term of the loss count: one over its loss between halves of the exemplar.

Under the weights of the papers one layer of a network can have nearly all of the loss: the first of
EfficientNet-Lite0 has 99.98 % of it. Two halves of one texture tell how much a term varies within it. In
units of that, all terms can be added up, and a total of 1 is as unlike as the halves are.

The halves are those of the feature maps, once down and once across, so that they are as many as the
maps allow, and no border is cut into the exemplar.
"""

import torch

from texalign.synthesis import pixels

#: A term that hardly differs between the halves, as of a periodic texture, is measured by this share of
#: its loss of noise instead: otherwise it would outweigh all others.
FLOOR = 1e-4
#: Of that noise.
SEED = 0


def weights(objective, exemplar):
    """Weigh the terms of an objective for one exemplar.

    Parameters
    ----------
    objective : synthesis.Objective
    exemplar : Tensor, shape (3, H, W)
        In normalised units.

    Returns
    -------
    dict of (str, int) to float
        For each term, its name and scale: its share of the total, over its loss between the halves.
        A term in which even noise has no loss, as of a layer that is zero everywhere, has the weight 0.
    """
    generator = torch.Generator().manual_seed(SEED)
    noise = torch.randn(exemplar.shape, generator=generator).to(exemplar)
    wanted, between, of_noise = {}, {}, {}

    def split(key, maps, describe, distance):
        parts = _halves(maps)
        losses = [distance(one, describe(other), tuple(other.shape[2:])) for one, other in parts]
        between[key] = sum(map(float, losses)) / len(losses)
        wanted[key] = describe(maps)

    def compare(key, maps, describe, distance):
        of_noise[key] = float(distance(maps, wanted[key], tuple(maps.shape[2:])))

    with torch.no_grad():
        objective.visit_terms(exemplar[None], split)
        objective.visit_terms(noise[None], compare)
    references = {key: max(between[key], FLOOR * of_noise[key]) for key in between}
    shares = {key: share(objective.loss, key[0]) for key in between}
    total = sum(shares.values())
    return {
        key: shares[key] / (total * reference) if reference else 0.0 for key, reference in references.items()
    }


def share(loss, name):
    """Share of a term, in units of a layer's."""
    return loss.pixels * pixels.SHARES[name] if name in pixels.SHARES else 1.0


def _halves(maps):
    """Pairs of halves of maps (1, N, H, W): across where there are two columns, down where two rows."""
    height, width = (side // 2 for side in maps.shape[2:])
    pairs = [(maps[..., :width], maps[..., -width:])] if width else []
    return pairs + ([(maps[:, :, :height], maps[:, :, -height:])] if height else [])
