"""A small network that turns noise into samples of one texture (Ulyanov et al., 2016, section 3.2).

Noise at K scales, each half as large as the one before, goes through a block of convolutions; from the
coarsest on, what is there is enlarged to twice its size, joined with the next finer scale's, and goes
through a block again. Everything is circular, so that a sample is a torus and tiles without a seam.

A sample depends on its seed, its number and its size alone. Noise is a function of the place, and the
normalisation uses statistics of the training, not of the batch. So a window of a sample can be made
without the rest of it, and a sample of any size in bounded memory.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from texalign.errors import InputError

NORMALISATIONS = ("batch", "instance")

#: Pixels of the side of a window in which samples are made, whatever their size: the same bits each time.
WINDOW = 512


#: Numbers of the first sample whose noise is learned from, of the first held out, on which is decided what
#: iteration is kept, and of the first from which the statistics of the normalisation are taken. Those that
#: a user samples come before them all.
LEARNED, HELD_OUT, CALIBRATION = 2**41, 2**42, 2**43


@dataclass(frozen=True)
class Architecture:
    """What a generator is built from.

    Attributes
    ----------
    scales : int
        K: the paper has 5 for textures of 256 px and 6 for style transfer; the released models have
        6 and 5.
    channels : int
        That each scale adds: from 8 to 8 K, 40 with 5 scales.
    noise_channels : int
        Of the noise at each scale.
    content : bool
        Whether each scale takes an image's three colours beside the noise: style transfer.
    pointwise : bool
        Whether blocks end with a 1 x 1 convolution behind the two of 3 x 3; those of the released
        style model do not.
    normalisation : {'batch', 'instance'}
        Behind each convolution and before each join; by instance as the authors later found better.
    slope : float
        Of negative values: 0 for the paper's ReLU, 0.01 in the released models.
    """

    scales: int = 5
    channels: int = 8
    noise_channels: int = 3
    content: bool = False
    pointwise: bool = True
    normalisation: str = "batch"
    slope: float = 0.0

    def __post_init__(self):
        for name in ("scales", "channels", "noise_channels"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise InputError(
                    f"generator: {name}: {getattr(self, name)!r} given; a whole number above 0 is needed"
                )
        if self.normalisation not in NORMALISATIONS:
            raise InputError(
                f"generator: normalisation: {self.normalisation!r} is unknown; "
                f"allowed: {', '.join(NORMALISATIONS)}"
            )

    @property
    def step(self):
        """What the sides of a sample are multiples of, in pixels."""
        return 2 ** (self.scales - 1)


#: Generators by name: of the paper's text, of the program and the models that its authors published, and with
#: the normalisation that they found better later.
ARCHITECTURES = {
    "as_written": Architecture(),
    "as_released": Architecture(scales=6, slope=0.01),
    "as_improved": Architecture(slope=0.01, normalisation="instance"),
    "style_as_written": Architecture(scales=6, content=True),
    "style_as_released": Architecture(scales=5, content=True, pointwise=False, slope=0.01),
    "style_as_improved": Architecture(content=True, slope=0.01, normalisation="instance"),
}


class Block(nn.Sequential):
    """Convolutions of 3 x 3, 3 x 3 and 1 x 1, each with its normalisation and activation."""

    def __init__(self, before, after, architecture):
        layers = []
        sides = (3, 3, 1) if architecture.pointwise else (3, 3)
        for side in sides:
            layers += [nn.Conv2d(before, after, side), normalisation(after, architecture)]
            layers += [nn.LeakyReLU(architecture.slope)]
            before = after
        super().__init__(*layers)

    def forward(self, maps, circular=True):
        """Give maps of the same size; without `circular`, 2 pixels less at each border."""
        for layer in self:
            if circular and isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
                maps = _wrapped(maps)
            maps = layer(maps)
        return maps


#: Pixels that a block takes from each border.
MARGIN = 2


def _wrapped(maps):
    """Give maps one pixel of the other side at each border, also where they have one pixel only."""
    maps = torch.cat([maps[:, :, -1:], maps, maps[:, :, :1]], dim=2)
    return torch.cat([maps[..., -1:], maps, maps[..., :1]], dim=3)


def normalisation(channels, architecture):
    """Build a layer that normalises, with statistics of its own for evaluation."""
    if architecture.normalisation == "instance":
        return nn.InstanceNorm2d(channels, affine=True, track_running_stats=True)
    return nn.BatchNorm2d(channels)


class Generator(nn.Module):
    """A texture's generator; scale 0 is the finest.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        Of the initial weights: Xavier's.
    """

    kind = "texture network"

    def __init__(self, architecture=None, seed=0):
        super().__init__()
        self.architecture = architecture = architecture or Architecture()
        count, step = architecture.scales, architecture.channels
        given = architecture.noise_channels + 3 * architecture.content
        self.inputs = nn.ModuleList(Block(given, step, architecture) for _ in range(count))
        widths = [step * (count - scale) for scale in range(count - 1)]
        self.blocks = nn.ModuleList(Block(width, width, architecture) for width in widths)
        self.coarse_norms = nn.ModuleList(normalisation(width - step, architecture) for width in widths)
        self.input_norms = nn.ModuleList(normalisation(step, architecture) for _ in widths)
        self.last = nn.Conv2d(step * count, 3, 1)
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight, generator=generator)
                nn.init.zeros_(module.bias)

    @property
    def description(self):
        """The architecture as plain values."""
        return asdict(self.architecture)

    def forward(self, inputs):
        """Make whole samples: what is trained.

        Parameters
        ----------
        inputs : list of Tensor, shape (b, C, H/2^i, W/2^i)
            Noise at each scale i, and behind it the image's colours where the generator takes them.

        Returns
        -------
        Tensor, shape (b, 3, H, W)
            In units of the images that it was trained for; nothing is cut off.
        """
        maps = self.inputs[-1](inputs[-1])
        for scale in range(len(self.blocks) - 1, -1, -1):
            maps = functional.interpolate(maps, scale_factor=2, mode="nearest")
            maps = self.blocks[scale](self._joined(scale, maps, self.inputs[scale](inputs[scale])))
        return self.last(maps)

    def window(self, inputs_at, top, left, height, width):
        """Make a part of a sample.

        Parameters
        ----------
        inputs_at : callable
            ``inputs_at(scale, top, left, height, width)`` gives a window of the inputs at a scale, shape
            (1, C, height, width), also beyond the borders, where they begin anew.
        top, left, height, width : int
            In pixels of the sample.

        Returns
        -------
        Tensor, shape (1, 3, height, width)
            To rounding as `forward` gives it there, in evaluation mode.
        """
        return self.last(self._window(inputs_at, 0, top, left, height, width))

    def _window(self, inputs_at, scale, top, left, height, width):
        wide = 2 * MARGIN
        if scale == len(self.blocks):
            ours = inputs_at(scale, top - MARGIN, left - MARGIN, height + wide, width + wide)
            return self.inputs[scale](ours, circular=False)
        top, left, height, width = top - MARGIN, left - MARGIN, height + wide, width + wide
        ours = inputs_at(scale, top - MARGIN, left - MARGIN, height + wide, width + wide)
        y, x = top // 2, left // 2
        below = self._window(
            inputs_at, scale + 1, y, x, (top + height + 1) // 2 - y, (left + width + 1) // 2 - x
        )
        coarse = functional.interpolate(below, scale_factor=2, mode="nearest")
        coarse = coarse[:, :, top - 2 * y :, left - 2 * x :][:, :, :height, :width]
        joined = self._joined(scale, coarse, self.inputs[scale](ours, circular=False))
        return self.blocks[scale](joined, circular=False)

    def _joined(self, scale, coarse, ours):
        return torch.cat([self.coarse_norms[scale](coarse), self.input_norms[scale](ours)], dim=1)


def parameters(generator):
    """Count what is learned."""
    return sum(parameter.numel() for parameter in generator.parameters())


# ------------------------------------------------------------------------------------------- noise


class Noise:
    """Uniform noise in [0, 1) as a function of seed, number of the sample, scale and place.

    Each row is drawn by Philox, a counter-based generator, so that any part of it can be had without
    the rest, whatever is asked for before, and whatever else is made at the same time.

    Parameters
    ----------
    seed, number : int
        Of the sample.
    size : (int, int)
        Height and width of the sample in pixels.
    channels : int
    scale : float
        Factor k of the noise (Fig. 5).
    """

    #: Rows that are remembered: those of one window at all scales.
    ROWS = 4 * WINDOW

    def __init__(self, seed, number, size, channels=3, scale=1.0):
        self.key, self.size, self.channels, self.factor = (seed, number), size, channels, scale
        self._rows = {}

    def row(self, scale, y):
        """One row at a scale, shape (channels, W/2^scale)."""
        if (scale, y) not in self._rows:
            if len(self._rows) >= self.ROWS:
                self._rows.clear()
            width = self.size[1] >> scale
            bits = np.random.Philox(key=np.array(self.key, np.uint64), counter=[0, 0, y, scale])
            drawn = bits.random_raw(width * self.channels) >> np.uint64(40)
            self._rows[scale, y] = (drawn * 2.0**-24).astype(np.float32).reshape(self.channels, width)
        return self._rows[scale, y]

    def window(self, scale, top, left, height, width):
        """Draw a window at a scale, which wraps at the borders: shape (1, channels, height, width)."""
        rows = [self.row(scale, y % (self.size[0] >> scale)) for y in range(top, top + height)]
        columns = np.arange(left, left + width) % (self.size[1] >> scale)
        drawn = np.stack([row[:, columns] for row in rows], axis=1)
        return torch.from_numpy(drawn)[None] * self.factor


def batch_noise(architecture, size, count, seed, number=0, scale=1.0):
    """Noise at every scale for a batch of samples, whose numbers follow each other.

    Returns
    -------
    list of Tensor, shape (count, channels, H/2^i, W/2^i)
    """
    height, width = size
    drawn = [Noise(seed, number + i, size, architecture.noise_channels, scale) for i in range(count)]
    return [
        torch.cat([noise.window(level, 0, 0, height >> level, width >> level) for noise in drawn])
        for level in range(architecture.scales)
    ]


def take_statistics(generator, size, count=32, inputs=None):
    """Take the statistics of the normalisation anew, and leave the generator in evaluation mode.

    A mean over `count` samples, one after the other, so that they depend on no batch.

    Parameters
    ----------
    generator : Generator
    size : (int, int)
        Of the samples in pixels.
    count : int
    inputs : callable, optional
        ``inputs(count, seed, number)`` gives what goes in at each scale; noise where none is given.
    """
    if inputs is None:
        where = next(generator.parameters()).device

        def inputs(count, seed, number):
            noise = batch_noise(generator.architecture, size, count, seed, number)
            return [level.to(where) for level in noise]

    norms = [module for module in generator.modules() if hasattr(module, "running_mean")]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
    generator.train()
    with torch.no_grad():
        for seen, start in enumerate(range(0, count, 4)):
            for norm in norms:
                norm.momentum = 1 / (seen + 1)  # the mean of all; None says so to BatchNorm2d only
            generator(inputs(min(4, count - start), 0, CALIBRATION + start))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    generator.eval()


def check_size(architecture, size):
    """Refuse a size that a generator cannot be trained at.

    Raises
    ------
    InputError
        A side is no multiple of what the scales divide it by, or the coarsest scale has one pixel only.
    """
    step = architecture.step
    if min(size) < step or any(side % step for side in size):
        raise InputError(
            f"generator: {size[0]}x{size[1]} px cannot be halved {architecture.scales - 1} times; use sides "
            f"that are multiples of {step}, or fewer scales"
        )
    if architecture.normalisation == "instance" and max(size) == step:
        raise InputError(
            f"generator: {size[0]}x{size[1]} px are a single pixel at the coarsest of {architecture.scales} "
            "scales, which cannot be normalised by instance; use a larger size, or fewer scales"
        )
