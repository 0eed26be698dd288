"""DCGAN on patches of one exemplar: a baseline of Texture Networks (Radford et al., 2016).

Its generator learns from 64 x 64 patches and is fully convolutional, so that a larger noise makes a larger
image (Ulyanov et al., 2016, section 4).
"""

import hashlib
import itertools
import logging
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from texalign import checkpoint
from texalign.errors import InputError
from texalign.synthesis.generator import CALIBRATION, LEARNED
from texalign.version import __version__

log = logging.getLogger(__name__)

#: Side of a patch, and how much smaller the noise is.
PATCH, SHRINKS = 64, 16


@dataclass(frozen=True)
class Settings:
    """How it is trained: as Radford et al. do.

    Attributes
    ----------
    iterations : int
    batch : int
        Patches an iteration.
    learning_rate, beta : float
        Of Adam, and its beta 1.
    channels : int
        Of the finest layer of maps; each coarser one has twice as many. Radford et al. have 128.
    noise : int
        Channels of the noise.
    checkpoint_every : int
    """

    iterations: int = 2000
    batch: int = 16
    learning_rate: float = 2e-4
    beta: float = 0.5
    channels: int = 32
    noise: int = 64
    checkpoint_every: int = 50

    def __post_init__(self):
        for name in ("iterations", "batch", "channels", "noise", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise InputError(f"dcgan: {name}: {getattr(self, name)} given; at least 1 is needed")


class Generator(nn.Sequential):
    """Noise (b, noise, h, w) → images (b, 3, 16 h, 16 w) from -1 to 1."""

    kind = "dcgan"

    def __init__(self, settings):
        widths = [settings.channels * factor for factor in (8, 4, 2, 1)]
        layers = [nn.Conv2d(settings.noise, widths[0], 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        super().__init__(*layers, nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh())
        self.settings = settings

    @property
    def description(self):
        """How it was trained, as plain values."""
        return asdict(self.settings)


def build_judge(settings):
    """Patches (b, 3, 64, 64) → one number each, the logit of being the exemplar's: shape (b,)."""
    width = [settings.channels * factor for factor in (1, 2, 4, 8)]
    layers = [nn.Conv2d(3, width[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for before, after in itertools.pairwise(width):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
    layers += [nn.Conv2d(width[-1], 1, 4), nn.Flatten(0)]
    return nn.Sequential(*layers)


def initialise(module, seed):
    """Give convolutions normal weights of standard deviation 0.02, as Radford et al. do."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(part.weight, 0, 0.02, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return module


class Learner:
    """Both networks while they are trained: all that a checkpoint holds, and one method an iteration."""

    def __init__(self, exemplar, settings, seed=0, device="cpu"):
        height, width = exemplar.shape[:2]
        if min(height, width) < PATCH:
            raise InputError(
                f"dcgan: {height}x{width} px given; an exemplar of at least {PATCH} px a side is needed"
            )
        self.settings, self.seed, self.device = settings, seed, device
        image = torch.from_numpy(np.array(exemplar)).permute(2, 0, 1).float() / 127.5 - 1
        self.image = image.to(device)
        self.generator = initialise(Generator(settings), seed).to(device)
        self.judge = initialise(build_judge(settings), seed + 1).to(device)
        how = {"lr": settings.learning_rate, "betas": (settings.beta, 0.999)}
        self.optimizers = [
            torch.optim.Adam(part.parameters(), **how) for part in (self.generator, self.judge)
        ]
        self.iteration, self.seconds, self.trace = 0, 0.0, []

    def step(self):
        """Learn from one batch of patches and one of noise; return the losses of judge and generator."""
        draw = torch.Generator().manual_seed((self.seed * 1_000_003 + LEARNED + self.iteration) % 2**63)
        real, made = self._patches(draw), self.generator(self._noise(draw))
        of_generator, of_judge = self.optimizers
        loss = _logistic(self.judge(real), 1) + _logistic(self.judge(made.detach()), 0)
        of_judge.zero_grad()
        loss.backward()
        of_judge.step()
        fooled = _logistic(self.judge(made), 1)
        of_generator.zero_grad()
        fooled.backward()
        of_generator.step()
        self.iteration += 1
        return loss.item(), fooled.item()

    def _patches(self, draw):
        rooms = [side - PATCH + 1 for side in self.image.shape[1:]]
        places = [torch.randint(room, (self.settings.batch,), generator=draw).tolist() for room in rooms]
        cut = [self.image[:, y : y + PATCH, x : x + PATCH] for y, x in zip(*places, strict=True)]
        return torch.stack(cut)

    def _noise(self, draw):
        side = PATCH // SHRINKS
        noise = torch.randn((self.settings.batch, self.settings.noise, side, side), generator=draw)
        return noise.to(self.device)

    def save(self, path, identity):
        """Write all that it takes to go on with the same bits."""
        state = {"iteration": self.iteration, "seconds": self.seconds, "trace": self.trace}
        state |= {"networks": [part.state_dict() for part in (self.generator, self.judge)]}
        state |= {"optimizers": [part.state_dict() for part in self.optimizers]}
        checkpoint.save(path, identity, state)

    def load(self, path, identity):
        """Go on from a checkpoint that belongs to this training."""
        state = checkpoint.load(path, identity)
        if state is None:
            return
        self.iteration, self.seconds, self.trace = state["iteration"], state["seconds"], state["trace"]
        for part, saved in zip((self.generator, self.judge), state["networks"], strict=True):
            part.load_state_dict(saved)
        for part, saved in zip(self.optimizers, state["optimizers"], strict=True):
            part.load_state_dict(saved)
        log.info("%s: going on after iteration %d", path, self.iteration)


def _logistic(logits, label):
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def train(exemplar, seed=0, *, path=None, device="cpu", code="", every=50, **options):
    """Train on the patches of one exemplar.

    Parameters
    ----------
    exemplar : array, uint8, shape (H, W, 3)
        At least 64 px a side.
    seed : int
    path : str or Path, optional
        Where to keep the state, a checkpoint; see `training.train`.
    device : str or torch.device
    code : str, optional
        Hash of the program, where the caller knows it.
    every : int
        Iterations between rows of the trace.
    **options
        Those of `Settings`.

    Returns
    -------
    generator : Generator
        In evaluation mode.
    trace : list of dict
        iteration, seconds, judge_loss, generator_loss.
    metadata : dict
    """
    settings = Settings(**options)
    learner = Learner(exemplar, settings, seed, device)
    pixels = hashlib.sha256(np.ascontiguousarray(exemplar).tobytes()).hexdigest()
    identity = {"method": "dcgan", "exemplar_sha256": pixels, "seed": seed, "code": code}
    identity |= {"settings": asdict(settings), "device": str(device), "threads": torch.get_num_threads()}
    identity |= {"versions": {"texalign": __version__, "torch": torch.__version__}}
    if path:
        learner.load(path, identity)
    began = time.monotonic() - learner.seconds
    while learner.iteration < settings.iterations:
        losses = learner.step()
        learner.seconds = time.monotonic() - began
        if learner.iteration % every == 0 or learner.iteration in (1, settings.iterations):
            row = {"iteration": learner.iteration, "seconds": round(learner.seconds, 3)}
            learner.trace.append(row | dict(zip(("judge_loss", "generator_loss"), losses, strict=True)))
        if path and learner.iteration % settings.checkpoint_every == 0:
            learner.save(path, identity)
    _calibrate(learner.generator, settings, device)
    return learner.generator, learner.trace, identity | {"seconds": round(learner.seconds, 3)}


def _calibrate(generator, settings, device, count=64):
    """Take the statistics of the normalisation anew, over many patches: no sample depends on a batch."""
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    generator.train()
    draw = torch.Generator().manual_seed(CALIBRATION)
    side = PATCH // SHRINKS
    with torch.no_grad():
        for _ in range(0, count, 8):
            generator(torch.randn((8, settings.noise, side, side), generator=draw).to(device))
    generator.eval()


def sample(generator, seed, size):
    """Make one sample, of any size.

    Parameters
    ----------
    generator : Generator
        In evaluation mode.
    seed : int
    size : (int, int)
        Height and width in pixels. More is made, and cut, so that the zeros beyond the border leave no trace.

    Returns
    -------
    array, uint8, shape (height, width, 3)
    """
    device = next(generator.parameters()).device
    height, width = (-(-side // SHRINKS) + 4 for side in size)
    drawn = torch.randn(
        (1, generator.settings.noise, height, width), generator=torch.Generator().manual_seed(seed)
    )
    with torch.no_grad():
        image = generator(drawn.to(device))[0]
    cut = 2 * SHRINKS
    image = image[:, cut : cut + size[0], cut : cut + size[1]]
    return ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
