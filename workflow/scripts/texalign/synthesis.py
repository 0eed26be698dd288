"""Images whose texture statistics match an exemplar's: the loss of an image, and the image of least loss."""

import csv
import hashlib
import json
import logging
import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from texalign import InputError, losses, networks, textures
from texalign.descent import Descent, Settings, run_in_lockstep
from texalign.files import whole

log = logging.getLogger(__name__)


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
        Faster after `networks.fold_batchnorm`.
    exemplar : array or Tensor
        uint8 (H, W, 3), or float in [0, 1] (3, H, W).
    loss : str or losses.Loss
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

    Returns
    -------
    list of Synthesis
    """
    settings = Settings(**settings)
    objective = Objective(network, exemplars, loss, readout, layers)
    size = tuple(objective.exemplars.shape[2:]) if size is None else _pair(size)
    objective.check(size)
    seeds = [0] * len(exemplars) if seeds is None else seeds
    checkpoints = [None] * len(exemplars) if checkpoints is None else checkpoints
    descents = []
    for index, seed, checkpoint in zip(range(len(exemplars)), seeds, checkpoints, strict=True):
        image, identity = _initial(objective, settings, seed, size), _identity(objective, index, seed, size)
        descents.append(Descent(index, image, objective, settings, identity, checkpoint))
    run_in_lockstep(descents, objective.evaluate)
    return [_finish(descent) for descent in descents]


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
    return {name: _choose_layers(network, names[: i + 1]) for i, name in enumerate(names)}


# ---------------------------------------------------------------------------------------------------
# The loss as a function of the image


class Objective:
    """Texture losses of images against exemplars, and their gradients.

    Parameters
    ----------
    network, loss, readout, layers
        See `synthesize`.
    exemplars : sequence of arrays or Tensors
        All of one size.
    """

    def __init__(self, network, exemplars, loss="paper", readout=None, layers=None):
        self.loss = losses.get(loss)
        self.network = _choose_layers(network, layers)
        self.readout = readout or self.loss.readout
        if self.readout not in networks.READOUTS:
            raise InputError(
                f"readout: {readout!r} is not allowed; use one of {', '.join(networks.READOUTS)}"
            )
        _check_names("layer_weights", self.loss.layer_weights or {}, self.network.layers)
        self.dtype = next(network.module.parameters()).dtype
        exemplars = [self.normalise(exemplar) for exemplar in exemplars]
        if len({exemplar.shape for exemplar in exemplars}) != 1:
            sizes = ", ".join(sorted({f"{height}x{width}" for _, height, width in map(np.shape, exemplars)}))
            raise InputError(
                f"exemplars: those made together must have one size, not {sizes} px; "
                "resize them, or list them apart"
            )
        self.exemplars = torch.stack(exemplars)
        if (self.exemplars.amax((2, 3)) == self.exemplars.amin((2, 3))).all(1).any():
            raise InputError("exemplar: the image is constant, it has no texture; give another")
        self.shapes = self.check(tuple(self.exemplars.shape[2:]))
        self.draws, self.most = [0] * len(exemplars), len(exemplars)
        self.targets = [self._describe(index) for index in range(len(exemplars))]

    @property
    def image_dtype(self):
        """The type of the optimised image: float32 also where the network computes in less."""
        return torch.float64 if self.dtype == torch.float64 else torch.float32

    def named(self, values):
        """Losses of the layers → ``loss``, their sum, and each under its layer's name."""
        return {"loss": sum(values), **dict(zip(self.network.layers, values, strict=True))}

    def mean_std(self):
        """Mean and standard deviation of the network's preprocessing, shape (3, 1, 1) each."""
        values = torch.tensor([self.network.mean, self.network.std], dtype=torch.float64)
        return values.to(self.image_dtype).to(self.network.device).view(2, 3, 1, 1)

    def normalise(self, image):
        """Image as uint8 (H, W, 3) or float in [0, 1] (3, H, W) → normalised units, (3, H, W)."""
        if isinstance(image, np.ndarray):
            image = torch.from_numpy(np.array(image))  # a copy: decoders give read-only arrays
        if image.dtype == torch.uint8 and image.ndim == 3:
            image = image.permute(2, 0, 1).to(self.image_dtype) / 255
        if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
            raise InputError(
                f"image: {image.dtype} of shape {tuple(image.shape)}; give uint8 (H, W, 3) or float (3, H, W)"
            )
        mean, std = self.mean_std()
        return (image.to(mean) - mean) / std

    def display(self, image):
        """Inverse of `normalise`, to float (3, H, W); nothing is cut off."""
        mean, std = self.mean_std()
        return image * std + mean

    def check(self, size):
        """Height and width of each layer's maps for images of `size`.

        Raises
        ------
        InputError
            The network cannot take such small images, or a layer has one position only.
        """
        shapes = {}
        image = torch.zeros((1, 3, *size), device=self.network.device, dtype=self.dtype)
        what = f"{size[0]}x{size[1]} px"
        try:
            with torch.no_grad():
                networks.read(
                    self.network, image, lambda layer, maps: shapes.update({layer: tuple(maps.shape[2:])})
                )
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"exemplar: the network cannot take {what} ({reason}); use a larger image, "
                "or drop the deepest layers"
            ) from error
        for layer, (height, width) in shapes.items():
            if height * width < 2:
                raise InputError(
                    f"layers: {layer} ({self.network.layers[layer]}) has 1 position at {what}, "
                    "so no spatial statistics; use a larger image, or drop the layer"
                )
        return shapes

    def _describe(self, index):
        statistics = {}

        def visit(layer, maps):
            statistics[layer] = self.loss.describe(layer, _at_least_float32(maps), self.draws[index])

        with torch.no_grad():
            networks.read(self.network, self._input(self.exemplars[index : index + 1]), visit, self.readout)
        return statistics

    def _input(self, images):
        # The image itself stays NCHW: gradients in channels-last layout break torch.optim.LBFGS.
        return images.to(self.dtype, memory_format=torch.channels_last)

    def distances(self, images, which):
        """Weighted loss of each layer and image, shape (layers, b).

        Parameters
        ----------
        images : Tensor, shape (b, 3, H, W)
            In normalised units.
        which : sequence of int
            Each image's exemplar.
        """
        values = {}

        def visit(layer, maps):
            targets = [self.targets[index][layer] for index in which]
            target = targets[0] if len(targets) == 1 else tuple(map(torch.cat, zip(*targets, strict=True)))
            distance = self.loss.distance(layer, _at_least_float32(maps), target, self.shapes[layer])
            values[layer] = self.loss.weight(layer) * distance

        networks.read(self.network, self._input(images), visit, self.readout)
        return torch.stack([values[layer] for layer in self.network.layers])

    def evaluate(self, requests):
        """Losses and gradients of several images, in as few passes as the memory allows.

        Parameters
        ----------
        requests : list of (int, Tensor, int)
            Number of the exemplar, image (3, H, W) in normalised units, number of the random draw.

        Returns
        -------
        list of (list of float, Tensor)
            Loss of each layer, NaN where the gradient is not finite, and the gradient (3, H, W).
        """
        answers = []
        while len(answers) < len(requests):
            part = requests[len(answers) :][: self.most]
            try:
                answers += self._evaluate(part)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self.most = len(part) // 2
                torch.cuda.empty_cache()
                log.info("the memory is full; going on with %d images at a time", self.most)
        return answers

    def _evaluate(self, requests):
        which, images, draws = zip(*requests, strict=True)
        for index, draw in zip(which, draws, strict=True):
            if self.draws[index] != draw:
                self.draws[index] = draw
                self.targets[index] = self._describe(index)
        with torch.enable_grad():
            images = torch.stack(images).requires_grad_()
            values = self.distances(images, which)
            (gradients,) = torch.autograd.grad(values.sum(), images)
        gradients = gradients.contiguous()
        usable = gradients.flatten(1).isfinite().all(1)
        values = torch.where(usable, values.detach(), math.nan).T.tolist()
        return list(zip(values, gradients, strict=True))


def _at_least_float32(maps):
    return maps.float() if maps.dtype in (torch.bfloat16, torch.float16) else maps


def _choose_layers(network, layers):
    if layers is None:
        return network
    _check_names("layers", layers, network.layers)
    return replace(network, layers={name: network.layers[name] for name in network.layers if name in layers})


def _check_names(key, names, known):
    for name in names:
        if name not in known:
            raise InputError(f"{key}: {name!r} is no layer of this network; allowed: {', '.join(known)}")


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def _identity(objective, index, seed, size):
    network = objective.network
    exemplar = objective.exemplars[index].cpu().numpy()
    return {
        "weights": network.weights,
        "weights_sha256": network.weights_sha256,
        "layers": dict(network.layers),
        "readout": objective.readout,
        "precision": network.precision,
        "loss_function": objective.loss.options,
        "exemplar_sha256": hashlib.sha256(exemplar.tobytes()).hexdigest(),
        "seed": seed,
        "size": list(size),
    }


def _initial(objective, settings, seed, size):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((3, *size), generator=generator) * settings.noise_std + settings.noise_mean
    return noise.to(objective.image_dtype).to(objective.network.device)


def _finish(descent):
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
        "initial_loss": descent.trace[0]["loss"],
        "loss": descent.best.loss,
        "loss_as_shown": shown,
    }
    made = {
        "settings": asdict(descent.settings),
        "device": str(objective.network.device),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }
    return Synthesis(image.cpu(), descent.trace, descent.identity | made | outcome)


# ---------------------------------------------------------------------------------------------------
# Files


def load_exemplar(path, size=None):
    """Read an exemplar as RGB, uint8, shape (height, width, 3).

    Parameters
    ----------
    path : str or Path
    size : int or (int, int), optional
        Height and width in pixels to resize it to; its own where none is given.

    Raises
    ------
    InputError
        The file is missing or no image.
    """
    return textures.decode(path, size)


def save_png(path, image, metadata):
    """Write an image as a PNG, with its metadata as JSON in a text chunk named ``texalign``.

    Parameters
    ----------
    path : str or Path
    image : Tensor, shape (3, H, W)
        In [0, 1].
    metadata : dict
        Plain values.
    """
    pixels = np.rint(np.asarray(image, dtype=np.float64).transpose(1, 2, 0) * 255).astype(np.uint8)
    text = PngInfo()
    text.add_text("Software", "texalign")
    text.add_text("texalign", json.dumps(metadata))
    with whole(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=text)


def read_metadata(path):
    """Read what `save_png` wrote beside the pixels."""
    with Image.open(path) as image:
        if "texalign" not in image.info:
            raise InputError(f"{path}: holds no metadata of texalign")
        return json.loads(image.info["texalign"])


def save_trace(path, trace):
    """Write a loss trace as CSV, one row a step."""
    with whole(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, trace[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(trace)
