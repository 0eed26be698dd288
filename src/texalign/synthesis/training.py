"""How a generator learns a texture, or a style (Ulyanov et al., 2016, Eqs. 7 and 8)."""

import hashlib
import logging
import math
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from texalign import checkpoint
from texalign.errors import InputError
from texalign.synthesis import likeness
from texalign.synthesis.content import content_loss, content_maps
from texalign.synthesis.generator import (
    ARCHITECTURES,
    HELD_OUT,
    LEARNED,
    Generator,
    batch_noise,
    check_size,
    parameters,
    take_statistics,
)
from texalign.synthesis.objective import Objective
from texalign.synthesis.sampling import pyramid_of
from texalign.version import __version__

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """How a generator is trained.

    Attributes
    ----------
    iterations : int
    batch : int
        Samples an iteration.
    learning_rate : float
        Of Adam.
    first_drop, drop_every, factor : float
        The learning rate falls by the factor behind a share of the iterations, and each such share after.
    normalise_gradients : bool
        Whether the gradient of each image is divided by its L1 norm, as the authors' program may.
    settle : float
        Share of the iterations, the last, in which the statistics of the normalisation stay as they are in
        samples, and the learning rate is a twentieth: instances are then no longer normalised by their own.
    size : int or (int, int), optional
        Pixels of the samples; the exemplar's where none is given, cut down to what the scales divide.
    check_every : int
        Iterations between looks at held-out noise; the iteration with the lowest loss there is kept.
    held_out : int
        Samples of held-out noise.
    calibration : int
        Samples from which the statistics of the normalisation are taken at each look.
    patience : int, optional
        Looks without a lower loss after which training ends; never where none is given.
    checkpoint_every : int
        Iterations between checkpoints.
    content_weight : float
        Factor alpha of the content loss (Eq. 8), for style transfer.
    content_layer : str, optional
        Its layer; the deepest that is read where none is given. The paper has relu4_2.
    """

    iterations: int = 2000
    batch: int = 16
    learning_rate: float = 0.1
    first_drop: float = 0.5
    drop_every: float = 0.1
    factor: float = 0.7
    normalise_gradients: bool = False
    settle: float = 0.0
    size: int | tuple | None = None
    check_every: int = 50
    held_out: int = 8
    calibration: int = 32
    patience: int | None = None
    checkpoint_every: int = 25
    content_weight: float = 0.1
    content_layer: str | None = None

    def __post_init__(self):
        least = {"iterations": 0, "batch": 1, "check_every": 1}
        least |= {"held_out": 2, "calibration": 1, "checkpoint_every": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise InputError(
                    f"generator: {name}: {getattr(self, name)} given; at least {lowest} is needed"
                )
        if not 0 <= self.settle < 1:
            raise InputError(f"generator: settle: {self.settle} given; a share from 0 to below 1 is needed")
        for name in ("learning_rate", "factor", "first_drop", "drop_every"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(
                    f"generator: {name}: {getattr(self, name)} given; a number above 0 is needed"
                )

    def rate(self, iteration):
        """Learning rate of an iteration, counted from 0."""
        first, every = (share * self.iterations for share in (self.first_drop, self.drop_every))
        # A whole number of drops, also where a share is none of the binary fractions.
        drops = math.floor((iteration - first) / every + 1e-9) + 1 if iteration >= first - 1e-9 else 0
        return self.learning_rate * self.factor**drops / (1 if iteration < self.settles_at else SETTLED)

    @property
    def settles_at(self):
        """The first iteration in which the statistics of the normalisation no longer change."""
        return self.iterations - math.floor(self.settle * self.iterations)


#: What the learning rate is divided by where the normalisation no longer holds what is learned.
SETTLED = 20

_RELEASED = Training(iterations=1500, first_drop=0.2, drop_every=0.2, factor=0.8, normalise_gradients=True)
#: How the paper says that its generators are trained, how the program does that its authors published, and
#: how it goes best with what they found later (Ulyanov et al., "Improved texture networks", 2017) and we.
TRAININGS = {
    "as_written": Training(),
    "as_released": _RELEASED,
    "as_improved": replace(_RELEASED, iterations=3000, batch=1, learning_rate=0.01, settle=0.1),
}


@dataclass(frozen=True)
class Trained:
    """A trained generator, and how it came about.

    Attributes
    ----------
    generator : Generator
        Of the iteration that is kept, in evaluation mode.
    trace : list of dict
        For each look: iteration, seconds, learning_rate, the loss of the last batch, held_out_loss,
        diversity, the held-out loss of each layer under its name, and a note.
    metadata : dict
        Plain values.
    sheets : dict of int to array
        For each look the held-out samples of that iteration, uint8, shape (n, H, W, 3).
    """

    generator: Generator
    trace: list
    metadata: dict
    sheets: dict


class Learner:
    """A generator while it is trained: all that a checkpoint holds, and one method an iteration.

    Parameters
    ----------
    objective : Objective
        With one exemplar.
    architecture : Architecture
    settings : Training
    seed : int
        Of the initial weights and of all noise.
    contents : sequence of array, optional
        Images to be stylised, uint8 (H, W, 3), of the size of the samples; a small pool.
    """

    STATE = ("iteration", "seconds", "trace", "best_loss", "best_iteration", "sheets")

    def __init__(self, objective, architecture, settings, seed=0, contents=()):
        self.objective, self.settings, self.seed = objective, settings, seed
        self.size = sample_size(architecture, settings, tuple(objective.exemplars.shape[2:]))
        objective.check(self.size)
        if architecture.content != bool(len(contents)):
            wanted = "content images are needed" if architecture.content else "it takes no content images"
            raise InputError(f"generator: {wanted}; see docs/synthesis.md")
        self.device = objective.network.device
        self.generator = Generator(architecture, seed).to(self.device)
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=settings.learning_rate)
        self.contents = [pyramid_of(one, self.size, architecture.scales) for one in contents]
        self.wanted = [self._content_maps(levels[0].to(self.device)) for levels in self.contents]
        self.iteration, self.seconds, self.trace, self.sheets = 0, 0.0, [], {}
        self.best, self.best_loss, self.best_iteration = None, math.inf, None

    # ---------------------------------------------------------------- one iteration

    def step(self):
        """Learn from one batch of noise; return its mean loss."""
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(self.iteration)
        if self.iteration == settings.settles_at:
            self._calibrate()
        self.generator.train(self.iteration < settings.settles_at)
        first = LEARNED + self.iteration * settings.batch
        images, which = self._images(settings.batch, self.seed, first)
        loss = self._losses(images, which).sum(0)
        if settings.normalise_gradients:
            (gradient,) = torch.autograd.grad(loss.sum(), images, retain_graph=True)
            gradient = gradient / gradient.abs().sum((1, 2, 3), keepdim=True).clamp(min=1e-30)
            self.optimizer.zero_grad()
            images.backward(gradient)
        else:
            self.optimizer.zero_grad()
            loss.mean().backward()
        self.optimizer.step()
        self.iteration += 1
        return loss.mean().item()

    def _inputs(self, count, seed, number):
        architecture = self.generator.architecture
        noise = [level.to(self.device) for level in batch_noise(architecture, self.size, count, seed, number)]
        which = [(number + i) % len(self.contents) for i in range(count)] if self.contents else []
        if which:
            levels = [torch.cat([self.contents[i][scale] for i in which]) for scale in range(len(noise))]
            noise = [torch.cat(pair, dim=1) for pair in zip(noise, levels, strict=True)]
        return noise, which

    def _images(self, count, seed, number):
        """Make samples in [0, 1], shape (count, 3, H, W), and the content of each."""
        inputs, which = self._inputs(count, seed, number)
        return self.generator(inputs), which

    def _losses(self, images, which):
        """Loss of each name and image, shape (names, b); the content's is the last."""
        mean, std = self.objective.mean_std()
        normalised = (images - mean) / std
        losses = self.objective.distances(normalised, [0] * len(images))
        if not which:
            return losses
        ours = content_maps(self.objective.network, normalised, self.settings.content_layer)
        wanted = torch.cat([self.wanted[i] for i in which])
        content = self.settings.content_weight * content_loss(ours, wanted)
        return torch.cat([losses, content[None]])

    def _content_maps(self, image):
        mean, std = self.objective.mean_std()
        with torch.no_grad():
            return content_maps(self.objective.network, (image - mean) / std, self.settings.content_layer)

    # ---------------------------------------------------------------- a look at held-out noise

    def look(self, loss, note=""):
        """Measure the generator on noise that it does not learn from; keep it if it is the best so far."""
        if self.iteration <= self.settings.settles_at:
            self._calibrate()
        self.generator.eval()
        with torch.no_grad():
            images, which = self._images(self.settings.held_out, self.seed, HELD_OUT)
            images = images.clamp(0, 1)
            values = self._losses(images, which).mean(1).tolist()
        names = [*self.objective.names, *(["content"] if which else [])]
        held_out = sum(values)
        row = {
            "iteration": self.iteration,
            "seconds": round(self.seconds, 3),
            "learning_rate": self.settings.rate(max(0, self.iteration - 1)),
            "loss": loss,
            "held_out_loss": held_out,
            "diversity": likeness.diversity(images.permute(0, 2, 3, 1).cpu().numpy()),
        }
        if not math.isfinite(held_out):
            note = "loss not finite"
        elif held_out < self.best_loss:
            self.best_loss, self.best_iteration = held_out, self.iteration
            self.best = {
                name: value.detach().cpu().clone() for name, value in self.generator.state_dict().items()
            }
        self.trace.append(row | dict(zip(names, values, strict=True)) | {"note": note})
        self.sheets[self.iteration] = images[:4].cpu().mul(255).round().to(torch.uint8)
        log.info("iteration %d: loss %.4g, held out %.4g", self.iteration, loss, held_out)

    def _calibrate(self):
        count = self.settings.calibration
        take_statistics(self.generator, self.size, count, lambda *asked: self._inputs(*asked)[0])

    @property
    def stopped(self):
        """Whether there is nothing more to wait for."""
        if self.trace and self.trace[-1]["note"]:
            return True
        if self.settings.patience is None or self.best_iteration is None:
            return False
        since = sum(row["iteration"] > self.best_iteration for row in self.trace)
        return since >= self.settings.patience

    # ---------------------------------------------------------------- checkpoints

    def save(self, path, identity):
        """Write all that it takes to go on with the same bits."""
        state = {name: getattr(self, name) for name in self.STATE}
        state |= {"generator": self.generator.state_dict(), "optimizer": self.optimizer.state_dict()}
        checkpoint.save(path, identity, state | {"best": self.best})

    def load(self, path, identity):
        """Go on from a checkpoint that belongs to this training."""
        state = checkpoint.load(path, identity)
        if state is None:
            return
        for name in self.STATE:
            setattr(self, name, state[name])
        self.best = state["best"]
        self.generator.load_state_dict(state["generator"])
        self.optimizer.load_state_dict(state["optimizer"])
        log.info("%s: going on after iteration %d", path, self.iteration)


def train(
    network,
    exemplar,
    loss="paper",
    seed=0,
    *,
    setting="as_improved",
    built=None,
    contents=(),
    readout=None,
    layers=None,
    path=None,
    code="",
    **options,
):
    """Train a generator on one exemplar.

    Parameters
    ----------
    network, exemplar, loss, readout, layers
        See `synthesis.synthesize`.
    seed : int
        Of the initial weights and the noise.
    setting : {'as_improved', 'as_written', 'as_released'}
        How: as works best, as the paper says, or as its authors' program does; see `TRAININGS`.
    built : Architecture, optional
        Instead of the setting's, see `architecture`.
    contents : sequence of array
        Images to be stylised, uint8 (H, W, 3); a small pool (the paper: 16). Without them it is a texture's.
    path : str or Path, optional
        Where to keep the state, a checkpoint. If it is there already and was made with the same input, the
        training goes on from it, and on a CPU with the same number of threads ends with the same bits.
    code : str, optional
        Hash of the program, where the caller knows it.
    **options
        Those of `Training` that differ from the setting's; None leaves the setting's.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        A setting is unknown, an option is wrong, or a size cannot be halved as often as there are scales.
    """
    default = architecture(setting, bool(len(contents)))
    built = default if built is None else built
    settings = replace(
        TRAININGS[setting], **{name: value for name, value in options.items() if value is not None}
    )
    objective = Objective(network, [exemplar], loss, readout, layers)
    learner = Learner(objective, built, settings, seed, contents)
    identity = _identity(learner, contents) | {"code": code}
    belongs = {key: value for key, value in identity.items() if key != "training"}
    ours = {key: value for key, value in identity["training"].items() if key != "checkpoint_every"}
    belongs["training"] = ours
    if path:
        learner.load(path, belongs)
    began, last = time.monotonic() - learner.seconds, math.nan
    if not learner.trace:
        learner.look(math.nan)
    while learner.iteration < settings.iterations and not learner.stopped:
        last = learner.step()
        learner.seconds = time.monotonic() - began
        ends = learner.iteration == settings.iterations
        if not math.isfinite(last):
            learner.look(last, "loss not finite")
        elif learner.iteration % settings.check_every == 0 or ends:
            learner.look(last)
        if path and learner.iteration % settings.checkpoint_every == 0:
            learner.save(path, belongs)
    if learner.best is None:
        raise InputError(
            f"generator: learning_rate: the loss was never finite with {settings.learning_rate}; "
            "use a smaller one"
        )
    learner.generator.load_state_dict(learner.best)
    outcome = {
        "iteration": learner.best_iteration,
        "held_out_loss": learner.best_loss,
        "initial_loss": learner.trace[0]["held_out_loss"],
        "iterations_run": learner.iteration,
        "seconds": round(learner.seconds, 3),
        "parameters": parameters(learner.generator),
    }
    sheets = {number: sheet.permute(0, 2, 3, 1).numpy() for number, sheet in learner.sheets.items()}
    return Trained(learner.generator.eval(), learner.trace, identity | outcome, sheets)


def _identity(learner, contents):
    objective = learner.objective
    return {
        "method": "generator",
        **objective.identity(0),
        "layer_weights": objective.plain_weights(0),
        "contents_sha256": [
            hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in contents
        ],
        "seed": learner.seed,
        "size": list(learner.size),
        "generator": learner.generator.description,
        "training": asdict(learner.settings),
        "device": str(objective.network.device),
        "threads": torch.get_num_threads(),
        "versions": {"texalign": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }


def architecture(setting="as_improved", style=False, **options):
    """Take a setting's architecture, with what differs.

    Parameters
    ----------
    setting : {'as_improved', 'as_written', 'as_released'}
    style : bool
        Whether of style transfer.
    **options
        Those of `Architecture`; None leaves the setting's.

    Raises
    ------
    InputError
        There is no such setting.
    """
    if setting not in TRAININGS:
        raise InputError(f"generator: setting: {setting!r} is unknown; allowed: {', '.join(TRAININGS)}")
    options = {name: value for name, value in options.items() if value is not None}
    return replace(ARCHITECTURES[f"style_{setting}" if style else setting], **options)


def sample_size(architecture, settings, exemplar):
    """Height and width of the samples that are learned from.

    Raises
    ------
    InputError
        They cannot be halved as often as there are scales.
    """
    size, step = settings.size, architecture.step
    if size is None:
        size = tuple(side // step * step for side in exemplar)
        if not all(size):
            check_size(architecture, exemplar)
    size = (size, size) if isinstance(size, int) else tuple(size)
    check_size(architecture, size)
    return size
