"""What a synthetic texture's loss is worth: under every network, and against losses to be expected."""

import logging
import math

import numpy as np
import torch

from texalign import InputError, synthesis

log = logging.getLogger(__name__)


def losses_of(network, exemplar, images, loss="paper", **options):
    """Loss of each image against an exemplar, be the network the one it was made with or another.

    Parameters
    ----------
    network, exemplar, loss, **options
        See `synthesis.synthesize`; options are readout and layers.
    images : sequence of arrays
        uint8 (H, W, 3), of any size.

    Returns
    -------
    list of float
        NaN for an image that the network cannot take.
    """
    objective = synthesis.Objective(network, [exemplar], loss, **options)
    values = []
    for image in images:
        try:
            objective.check(image.shape[:2])
            with torch.no_grad():
                distances = objective.distances(objective.normalise(image)[None], [0])
            values.append(distances.sum().item())
        except InputError as error:
            log.warning("no loss: %s", error)
            values.append(math.nan)
    return values


def halves(image):
    """Cut an image in two, once down and once across: pairs of crops of one texture that share no pixel."""
    height, width = (side // 2 for side in image.shape[:2])
    return [(image[:, :width], image[:, -width:]), (image[:height], image[-height:])]


def references(network, exemplar, others=(), loss="paper", **options):
    """Losses to hold a synthetic image's against: the certificate of convergence.

    Parameters
    ----------
    network, exemplar, loss, **options
        See `losses_of`.
    others : sequence of arrays
        Other images of the exemplar's class.

    Returns
    -------
    dict of str to float
        ``halves_loss``: mean loss of two halves of the exemplar, left and right, upper and lower. An
        image whose loss is lower matches the exemplar better than its parts match each other.
        ``class_loss``: mean loss of the other images of the class. NaN where there is none to take.
    """
    within = []
    for one, other in halves(np.asarray(exemplar)):
        try:
            within += losses_of(network, one, [other], loss, **options)
        except InputError as error:
            log.warning("no loss between halves of the exemplar: %s", error)
    between = losses_of(network, exemplar, others, loss, **options) if len(others) else []
    return {"halves_loss": _mean(within), "class_loss": _mean(between)}


def _mean(values):
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
