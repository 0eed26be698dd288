"""Images whose texture statistics match an exemplar's: synthesis by optimisation."""

import csv
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from texalign.files import whole
from texalign.synthesis import pyramid
from texalign.synthesis.descent import Descent, Settings, run_in_lockstep
from texalign.synthesis.objective import Objective, choose_layers
from texalign.version import __version__


@dataclass(frozen=True)
class Synthesis:
    """A synthesised image, and how it came about.

    Attributes
    ----------
    image : Tensor, shape (3, H, W)
        In [0, 1], float, on the CPU.
    trace : list of dict
        For each step: step, evaluations (so far), seconds (so far), loss, the loss of each layer
        under its name, and a note where something out of the ordinary happened.
    metadata : dict
        Plain values: the network's weights, layers, loss, settings, seed, versions and outcome.
    """

    image: torch.Tensor
    trace: list
    metadata: dict


def synthesize(network, exemplar, loss="paper", seed=0, *, checkpoint=None, **options):
    """Synthesise an image with an exemplar's texture statistics.

    Parameters
    ----------
    network : networks.Network
        Faster after `texalign.fast.prepare`.
    exemplar : array or Tensor
        uint8 (H, W, 3), or float in [0, 1] (3, H, W).
    loss : str or losses.common.Loss
        A name in `losses.LOSSES`, or one made by `losses.get` with options of its own.
    seed : int
        Of the initial image.
    checkpoint : str or Path, optional
        Where to keep the state every `checkpoint_every` steps. If it is there already and was made
        with the same input, the run goes on from it, and on a CPU with the same number of threads
        ends with the same bits. The caller deletes it when the result is safe.
    **options
        size (pixels, or height and width; the exemplar's), readout ('linear' or 'relu'; the
        loss's), layers (some of the network's; all), and those of `Settings`.

    Returns
    -------
    Synthesis

    Raises
    ------
    InputError
        The exemplar is constant or too small, a layer has one position only, or an option is wrong.
    """
    return synthesize_batch(network, [exemplar], loss, [seed], checkpoints=[checkpoint], **options)[0]


def synthesize_batch(
    network,
    exemplars,
    loss="paper",
    seeds=None,
    *,
    size=None,
    readout=None,
    layers=None,
    checkpoints=None,
    code="",
    **settings,
):
    """Synthesise an image for each of several exemplars of one size, in common forward passes.

    Each image has its own optimiser with its own line search; those that wait for a loss are
    evaluated together. The first evaluations equal those of single runs to rounding. Later ones
    drift apart, as they do with another number of threads: a change of 1e-7 grows.

    Parameters
    ----------
    network, loss, size, readout, layers, settings
        See `synthesize`.
    exemplars : sequence of arrays or Tensors
        All of one size.
    seeds : sequence of int, optional
        One for each exemplar; 0 for all where none are given.
    checkpoints : sequence of str, Path or None, optional
        One for each exemplar. A batch goes on from them, with other bits than an undisturbed one
        where its images no longer meet in the same forward passes.
    code : str, optional
        Hash of the program, where the caller knows it: a checkpoint of another is not gone on with.

    Returns
    -------
    list of Synthesis
    """
    objective = Objective(network, exemplars, loss, readout, layers)
    return optimise(objective, seeds, size, checkpoints, code, **settings)


def optimise(objective, seeds=None, size=None, checkpoints=None, code="", **settings):
    """Optimise an image for each of an objective's exemplars: see `synthesize_batch`.

    Parameters
    ----------
    objective : Objective
    seeds, size, checkpoints, code, settings
        See `synthesize_batch`.

    Returns
    -------
    list of Synthesis
    """
    settings = Settings(**settings)
    size = tuple(objective.exemplars.shape[2:]) if size is None else _pair(size)
    objective.check(size)
    count = len(objective.exemplars)
    seeds = [0] * count if seeds is None else seeds
    checkpoints = [None] * count if checkpoints is None else checkpoints
    if settings.start is None:
        settings = replace(settings, start="coarse" if objective.loss.balanced else "noise")
    descents, initial = [], []
    for index, seed, checkpoint in zip(range(count), seeds, checkpoints, strict=True):
        image = initial_noise(objective, settings, seed, size)
        belongs_to = identity(objective, index, seed, size) | {"code": code}
        descents.append(Descent(index, image, objective, settings, belongs_to, checkpoint))
        initial.append(image)
    fresh = [descent for descent in descents if not descent.trace]
    if settings.start == "coarse" and fresh:
        begin_coarse(fresh, objective, initial, seeds, settings)
    run_in_lockstep(descents, objective.evaluate)
    return [finish(descent, image) for descent, image in zip(descents, initial, strict=True)]


def begin_coarse(descents, objective, initial, seeds, settings, first=None):
    """Let descents begin at what smaller images of their exemplars lead to: see `pyramid.coarse_start`."""
    which = [descent.index for descent in descents]
    began = time.monotonic()
    starts, drawn = ([listed[index] for index in which] for listed in (initial, seeds))
    images, sizes = pyramid.coarse_start(objective, which, starts, drawn, settings, first)
    for descent, image in zip(descents, images, strict=True):
        descent.begin_at(image, f"from {', '.join(f'{h}x{w}' for h, w in sizes)} px" if sizes else "")
        descent.seconds = time.monotonic() - began


def evaluate(network, image, exemplar, loss="paper", *, readout=None, layers=None):
    """Loss of an image under a network, be it the one it was made with or another.

    Parameters
    ----------
    network, exemplar, loss, readout, layers
        See `synthesize`.
    image : array or Tensor
        uint8 (H, W, 3), or float in [0, 1] (3, H, W); of any size.

    Returns
    -------
    dict of str to float
        ``loss``, and the loss of each layer under its name.
    """
    objective = Objective(network, [exemplar], loss, readout, layers)
    image = objective.normalise(image)
    objective.check(tuple(image.shape[1:]))
    with torch.no_grad():
        values = objective.distances(image[None], [0])[:, 0].tolist()
    return objective.named(values)


def cumulative(network):
    """Split a network into those that read its first layer, its first two, and so on (Gatys et al., Fig. 2).

    Returns
    -------
    dict of str to networks.Network
        The deepest layer → the network with all layers up to it.
    """
    names = list(network.layers)
    return {name: choose_layers(network, names[: i + 1]) for i, name in enumerate(names)}


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def identity(objective, index, seed, size):
    """Collect what an image depends on besides the settings, as plain values."""
    return {"method": "descent", **objective.identity(index), "seed": seed, "size": list(size)}


def initial_noise(objective, settings, seed, size):
    """Draw the noise that an image begins with, in normalised units, shape (3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((3, *size), generator=generator) * settings.noise_std + settings.noise_mean
    return noise.to(objective.image_dtype).to(objective.network.device)


def finish(descent, initial):
    """Collect what a descent ended with; `initial` is the noise that it is told to have come from."""
    objective = descent.objective
    image = objective.display(descent.image).clamp(0, 1)
    with torch.no_grad():
        shown = objective.normalise((image * 255).round() / 255)
        shown = objective.distances(shown[None], [descent.index]).sum().item()
    outcome = {
        "steps": descent.step,
        "evaluations": descent.evaluations,
        "seconds": round(descent.seconds, 3),
        "restarts": descent.restarts,
        "initial_loss": _initial_loss(descent, initial),
        "loss": descent.best.loss,
        "loss_as_shown": shown,
    }
    made = {
        "layer_weights": objective.plain_weights(descent.index),
        "settings": asdict(descent.settings),
        "device": str(objective.network.device),
        "threads": torch.get_num_threads(),
        "versions": {
            "texalign": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
    return Synthesis(image.cpu(), descent.trace, descent.identity | made | outcome)


def _initial_loss(descent, initial):
    """Loss of the noise, also where the optimiser began at something better."""
    first = descent.trace[0]
    if not first["note"]:  # it began at the noise itself
        return first["loss"]
    noise = descent.within_bounds(initial)
    with torch.no_grad():
        return sum(descent.objective.distances(noise[None], [descent.index])[:, 0].tolist())


def save_trace(path, trace):
    """Write a loss trace as CSV, one row a step."""
    with whole(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, trace[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(trace)
