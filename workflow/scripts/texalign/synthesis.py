"""Images whose texture statistics match an exemplar's: the optimisers, and what they leave behind."""

import csv
import hashlib
import json
import logging
import math
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from texalign import InputError, losses, networks, textures
from texalign.files import whole

log = logging.getLogger(__name__)

OPTIMIZERS = ("lbfgs", "adam")

#: What the optimiser sees at the start. The loss is scaled to it, whatever its unit: L-BFGS of torch
#: forgets every step that gains less than 1e-10.
START = 1e6


@dataclass(frozen=True)
class Settings:
    """How an image is optimised.

    Attributes
    ----------
    optimizer : {'lbfgs', 'adam'}
        L-BFGS with a line search for the strong Wolfe conditions, or Adam.
    iterations : int
        Steps; one of L-BFGS takes about 1.1 evaluations of the loss.
    history : int
        Steps that L-BFGS remembers; each is two images in memory. With EfficientNet-Lite0 at 128 px,
        500 steps ended at a loss of 18, 7.4, 2.8 and 1.6 with 10, 30, 100 and 400, the last in
        twice the time.
    learning_rate : float, optional
        1 for L-BFGS and 0.05 for Adam where none is given; Adam's halves with each restart.
    noise_mean, noise_std : float
        Of the initial image, in units of the network's normalised input. The misalignment paper
        says N(0, 1); its authors' program takes N(0.5, 0.2).
    bounds : bool
        Keep every pixel within the displayable range, by optimising u in (1 + sin u)/2. Without
        it, what lies outside is cut off at the end, and the image as shown has another loss than
        the optimiser reached: 130 and 2,300 times as much in two trials, against 1.05 with bounds.
    restarts : int
        How often a loss that is not finite, or a line search that finds nothing lower, may send
        the optimiser back to the best image so far, with its memory emptied.
    checkpoint_every : int
        Steps between checkpoints. One takes the disk space of 2 · `history` images in float32.
    """

    optimizer: str = "lbfgs"
    iterations: int = 500
    history: int = 100
    learning_rate: float | None = None
    noise_mean: float = 0.0
    noise_std: float = 1.0
    bounds: bool = False
    restarts: int = 5
    checkpoint_every: int = 25

    def __post_init__(self):
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"optimizer: {self.optimizer!r} is unknown; allowed: {', '.join(OPTIMIZERS)}")
        for name, least in (("iterations", 0), ("history", 1), ("restarts", 0), ("checkpoint_every", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: {getattr(self, name)} given; at least {least} is needed")


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
    descents = []
    for index, (seed, checkpoint) in enumerate(
        zip(seeds, checkpoints or [None] * len(exemplars), strict=True)
    ):
        descent = _Descent(index, _initial(objective, settings, seed, size), objective, settings)
        descent.keep(checkpoint, {"seed": seed, "size": list(size)})
        descents.append(descent)
    _run_in_lockstep(descents, objective.evaluate)
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
    return _named(objective, values)


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

    def _mean_std(self):
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
        mean, std = self._mean_std()
        return (image.to(mean) - mean) / std

    def display(self, image):
        """Inverse of `normalise`, to float (3, H, W); nothing is cut off."""
        mean, std = self._mean_std()
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


def _named(objective, values):
    return {"loss": sum(values), **dict(zip(objective.network.layers, values, strict=True))}


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


# ---------------------------------------------------------------------------------------------------
# The optimisers


class _NotFiniteError(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class _Evaluation(NamedTuple):
    """A point with what is known of it."""

    point: torch.Tensor
    gradient: torch.Tensor
    layers: list

    @property
    def loss(self):
        return sum(self.layers)


def _initial(objective, settings, seed, size):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((3, *size), generator=generator) * settings.noise_std + settings.noise_mean
    return noise.to(objective.image_dtype).to(objective.network.device)


class _Descent:
    """The optimisation of one image: a point, its optimiser, and what happened so far.

    The point is the image in normalised units, or its angle u where the image is bounded.
    """

    #: What a checkpoint holds besides the optimiser and the evaluations.
    STATE = ("step", "evaluations", "seconds", "restarts", "restarted_at", "draw", "done", "scale", "trace")

    def __init__(self, index, image, objective, settings):
        self.index, self.objective, self.settings = index, objective, settings
        self.point = self._to_point(image)
        self.last = self.best = None
        self.step = self.evaluations = self.restarts = self.draw = 0
        self.seconds, self.restarted_at, self.scale = 0.0, math.inf, None
        self.done, self.trace = False, []
        self.optimizer = self._new_optimizer()

    def _new_optimizer(self):
        rate = self.settings.learning_rate
        if self.settings.optimizer == "adam":
            return torch.optim.Adam([self.point], lr=(rate or 0.05) * 0.5**self.restarts)
        # One iteration a step, so that the state between steps is all there is. Nothing but this
        # class decides when to stop, so the tolerances are off.
        return torch.optim.LBFGS(
            [self.point],
            lr=rate or 1,
            max_iter=1,
            max_eval=26,
            history_size=self.settings.history,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )

    def run(self, ask):
        """Optimise until the end; `ask` gives the losses and the gradient of (index, image, draw)."""
        self.ask, began = ask, time.monotonic() - self.seconds
        if not self.trace:
            self._begin(began)
        while not self.done and self.step < self.settings.iterations:
            self.step += 1
            note = self._advance()
            self.seconds = time.monotonic() - began
            self._record(note)
            if self.path and self.step % self.settings.checkpoint_every == 0:
                self._save()

    def _begin(self, began):
        try:
            self._closure()
        except _NotFiniteError as error:
            raise InputError(
                "loss: not finite for the initial image; check the network's weights and precision"
            ) from error
        self.seconds = time.monotonic() - began
        self._record("")

    def _advance(self):
        """Take one step; return what is to be noted of it."""
        every, note = self.objective.loss.redraw_every, ""
        try:
            if every and self.step > 1 and self.step % every == 1 % every:
                self._redraw()
                note = "new random directions"
            before = self.best.loss
            self.optimizer.step(self._closure)
            self._closure()  # Adam moves last; the point of L-BFGS is known already
        except _NotFiniteError:
            return self._restart("loss not finite")
        if self.best.loss == 0:
            self.done = True
            return "loss zero"
        if self.settings.optimizer == "lbfgs" and not self.best.loss < before:
            return self._restart("line search stalled")
        return note

    def _closure(self):
        """Return the scaled loss at the point, with its gradient in place; ask nothing twice."""
        for known in (self.last, self.best):
            if known is not None and torch.equal(known.point, self.point):
                break
        else:
            known = self._evaluate()
        self.last = known
        self.point.grad = known.gradient * self.scale
        return known.loss * self.scale

    def _evaluate(self):
        point = self.point.clone()
        image, slope = self._to_image(point)
        layers, gradient = self.ask(self.index, image, self.draw)
        self.evaluations += 1
        new = _Evaluation(point, gradient if slope is None else gradient * slope, layers)
        if not math.isfinite(new.loss):
            raise _NotFiniteError
        if self.scale is None:
            self.scale = START / new.loss if new.loss > 0 else 1.0
        if self.best is None or new.loss < self.best.loss:
            self.best = new
        return new

    def _redraw(self):
        """Go on with new random directions: nothing learned of the old function holds for the new one."""
        self.draw += 1
        self.last = self.best = None
        self.restarted_at = math.inf
        self.optimizer = self._new_optimizer()
        self._closure()

    def _restart(self, why):
        """Go back to the best image with an empty memory, unless that was tried already."""
        lbfgs = self.settings.optimizer == "lbfgs"
        self.point.copy_(self.best.point)
        self.last = self.best
        if self.restarts == self.settings.restarts or (lbfgs and self.best.loss == self.restarted_at):
            self.done = True
            return f"{why}; stopped after {self.restarts} restarts"
        self.restarts += 1
        self.restarted_at = self.best.loss
        self.optimizer = self._new_optimizer()
        return f"{why}; restarted from the best image"

    def _record(self, note):
        row = {"step": self.step, "evaluations": self.evaluations, "seconds": round(self.seconds, 3)}
        self.trace.append(row | _named(self.objective, self.last.layers) | {"note": note})
        if note:
            log.info("image %d, step %d: %s", self.index, self.step, note)

    # Bounds: a pixel in [0, 1] is (1 + sin u)/2, which reaches both ends at a finite u.

    def _to_point(self, image):
        if not self.settings.bounds:
            return image.clone()
        # Not quite up to the ends, where the slope is zero.
        return torch.asin((2 * self.objective.display(image) - 1).clamp(-0.98, 0.98))

    def _to_image(self, point):
        """Return the image in normalised units, and its derivative by the point (None for 1)."""
        if not self.settings.bounds:
            return point, None
        mean, std = self.objective._mean_std()
        return ((1 + point.sin()) / 2 - mean) / std, point.cos() / (2 * std)

    # Checkpoints: tensors and plain values only, so that the safe unpickler reads them.

    def keep(self, path, identity):
        """Keep checkpoints under `path`, and go on from the one that is there."""
        self.path = Path(path) if path else None
        self.metadata = _metadata(self.objective, self.index) | identity
        self.metadata["settings"] = asdict(self.settings)
        if self.path and self.path.exists():
            self._load()

    def _fingerprint(self):
        """Tell what must agree for a checkpoint to be gone on with."""
        same = {
            key: self.metadata[key] for key in self.metadata if key not in ("device", "threads", "versions")
        }
        ours = asdict(self.settings)
        del ours["iterations"], ours["checkpoint_every"]
        return json.dumps(same | {"settings": ours}, sort_keys=True)

    def _save(self):
        state = {name: getattr(self, name) for name in self.STATE}
        state |= {
            "fingerprint": self._fingerprint(),
            "point": self.point,
            "optimizer": self.optimizer.state_dict(),
        }
        state |= {"last": tuple(self.last), "best": tuple(self.best)}
        with whole(self.path) as temporary:
            torch.save(state, temporary)

    def _load(self):
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            fits = state["fingerprint"] == self._fingerprint()
        except Exception as error:
            log.warning("%s: cannot be read (%s); starting anew", self.path, type(error).__name__)
            return
        if not fits:
            log.warning("%s: made with other settings, weights or exemplar; starting anew", self.path)
            return
        for name in self.STATE:
            setattr(self, name, state[name])
        self.point.copy_(state["point"])
        for name in ("last", "best"):
            point, gradient, layers = state[name]
            known = _Evaluation(point.to(self.point.device), gradient.to(self.point.device), layers)
            setattr(self, name, known)
        self.optimizer = self._new_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        log.info("%s: going on after step %d", self.path, self.step)


def _run_in_lockstep(descents, evaluate):
    """Run several descents; whenever all that still run wait for a loss, evaluate them in one batch."""
    if len(descents) == 1:  # also keeps the traceback short
        descents[0].run(lambda *request: evaluate([request])[0])
        return
    asked, unanswered = queue.SimpleQueue(), []

    def work(descent):
        def ask(*request):
            answer = Future()
            asked.put((request, answer))
            return answer.result()

        try:
            descent.run(ask)
            asked.put(None)
        except BaseException as error:
            asked.put(error)

    for descent in descents:
        threading.Thread(target=work, args=(descent,), daemon=True).start()
    running = len(descents)
    try:
        while running:
            heard = [asked.get() for _ in range(running)]
            unanswered = [item[1] for item in heard if isinstance(item, tuple)]
            for error in (item for item in heard if isinstance(item, BaseException)):
                raise error
            # In the order of the images, not of the threads.
            questions = sorted((item for item in heard if item), key=lambda item: item[0][0])
            running = len(questions)
            if questions:
                answers = evaluate([request for request, _ in questions])
                for (_, answer), result in zip(questions, answers, strict=True):
                    answer.set_result(result)
    finally:
        for answer in unanswered:
            answer.cancel()


def _finish(descent):
    objective, best = descent.objective, descent.best
    image = objective.display(descent._to_image(best.point)[0]).clamp(0, 1)
    with torch.no_grad():
        shown = objective.normalise((image * 255).round() / 255)
        shown = objective.distances(shown[None], [descent.index]).sum().item()
    outcome = {
        "steps": descent.step,
        "evaluations": descent.evaluations,
        "seconds": round(descent.seconds, 3),
        "restarts": descent.restarts,
        "initial_loss": descent.trace[0]["loss"],
        "loss": best.loss,
        "loss_as_shown": shown,
    }
    return Synthesis(image.cpu(), descent.trace, descent.metadata | outcome)


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


def _metadata(objective, index):
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
        "device": str(network.device),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }
