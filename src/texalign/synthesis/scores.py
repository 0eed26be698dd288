"""What a synthetic texture's loss is worth: under every network, and against losses to be expected."""

import logging
import math

import torch

from texalign.errors import InputError
from texalign.synthesis.objective import Objective

log = logging.getLogger(__name__)


def losses_of(network, exemplar, images, loss="paper", **options):
    """Losses of each image against an exemplar, be the network the one it was made with or another.

    Parameters
    ----------
    network, exemplar, loss, **options
        See `synthesis.Objective`; options are readout, layers, and the weights of one exemplar in a list.
    images : sequence of arrays
        uint8 (H, W, 3), of any size.

    Returns
    -------
    list of dict of str to float
        ``loss``, and the loss of each layer under its name; NaN for an image that the network cannot take.
    """
    objective = Objective(network, [exemplar], loss, **options)
    rows = []
    for image in images:
        values = [math.nan] * len(objective.names)
        try:
            objective.check(image.shape[:2])
            with torch.no_grad():
                values = objective.distances(objective.normalise(image)[None], [0])[:, 0].tolist()
        except InputError as error:
            log.warning("no loss: %s", error)
        rows.append(objective.named(values))
    return rows


def certificates(network, exemplar, photograph, others, images, loss="paper", **options):
    """Hold images against what is to be expected: parts of the exemplar, and others of its class.

    Parameters
    ----------
    network, exemplar, loss, **options
        See `losses_of`.
    photograph : array
        The exemplar at its own resolution.
    others, images : sequence of arrays
        Other images of the class, and those to score.

    Returns
    -------
    list of dict
        An image each: loss, halves_loss, crops_loss, class_loss, worst_layer, worst_layer_ratio.
    """
    # The exemplar's weights hold for its parts too.
    weights = Objective(network, [exemplar], loss, **options).weights
    options = {"loss": loss, "weights": weights} | options
    of_halves = between(network, halves(exemplar), **options)
    of_crops = between(network, crops(photograph, exemplar.shape[:2]), **options)
    of_class = mean(losses_of(network, exemplar, others, **options))
    references = {
        "halves_loss": of_halves.get("loss"),
        "crops_loss": of_crops.get("loss"),
        "class_loss": of_class.get("loss"),
    }
    rows = []
    for values in losses_of(network, exemplar, images, **options):
        layer, ratio = worst_layer(values, of_halves)
        rows.append(
            {"loss": values["loss"]} | references | {"worst_layer": layer, "worst_layer_ratio": ratio}
        )
    return rows


def halves(image):
    """Cut an image in two, once down and once across: pairs of crops of one texture that share no pixel."""
    height, width = (side // 2 for side in image.shape[:2])
    return [(image[:, :width], image[:, -width:]), (image[:height], image[-height:])]


def crops(photograph, size):
    """Cut out opposite corners, each of a height and width: pairs of crops that share no pixel.

    None where the photograph has no room for them. At its own resolution it shows the texture larger
    than an exemplar that was made smaller, so that a crop holds less of it.
    """
    height, width = size
    doubled = [room // side for room, side in zip(photograph.shape, size, strict=False)]
    if min(doubled) < 1 or max(doubled) < 2:
        return []
    upper, lower = photograph[:height], photograph[-height:]
    return [(upper[:, :width], lower[:, -width:]), (lower[:, :width], upper[:, -width:])]


def between(network, pairs, loss="paper", **options):
    """Losses of parts of one texture against each other: what an image that has converged lies below.

    Parameters
    ----------
    network, loss, **options
        See `losses_of`.
    pairs : list of (array, array)
        From `halves` or `crops`.

    Returns
    -------
    dict of str to float
        As `losses_of` gives: the mean over the pairs. Empty where all are too small for the network,
        or constant.
    """
    rows = []
    for one, other in pairs:
        try:
            rows += losses_of(network, one, [other], loss, **options)
        except InputError as error:
            log.warning("no loss between parts of the exemplar: %s", error)
    return mean(rows)


def mean(rows):
    """Mean of losses as `losses_of` gives them, without those that are NaN."""
    rows = [row for row in rows if math.isfinite(row["loss"])]
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]} if rows else {}


def worst_layer(losses, halves_losses):
    """Find the layer whose loss is largest against that between the exemplar's halves.

    The total hides it: under the paper's weights one layer can have nearly all of it.

    Returns
    -------
    layer : str or None
    ratio : float
        Its loss over that between the halves; below 1, the image has converged in every layer.
    """
    ratios = {
        layer: value / halves_losses[layer]
        for layer, value in losses.items()
        if layer != "loss" and halves_losses.get(layer, 0) > 0
    }
    return max(ratios.items(), key=lambda item: item[1], default=(None, math.nan))
