"""Samples of a generator: of any size, from a seed, in bounded memory."""

import numpy as np
import torch
from torch.nn import functional

from texalign.errors import InputError
from texalign.synthesis import dcgan
from texalign.synthesis.generator import WINDOW, Noise


def make(generator, seed, size, *, content=None, noise_scale=1.0):
    """Make one sample of a generator of any kind: see `sample`, and `dcgan.sample`, whose noise has no scale.

    Parameters
    ----------
    generator : Generator or dcgan.Generator
        In evaluation mode.
    seed, content, noise_scale
        See `sample`.
    size : int or (int, int)
        Pixels: one side, or height and width.
    """
    size = (size, size) if isinstance(size, int) else tuple(size)
    if generator.kind == dcgan.Generator.kind:
        return dcgan.sample(generator, seed, size)
    return sample(generator, seed, size, content=content, noise_scale=noise_scale)


def sample(generator, seed, size, number=0, *, content=None, noise_scale=1.0):
    """Make one sample.

    The same bits for the same seed, number and size on the same machine, whatever else is made.

    Parameters
    ----------
    generator : Generator
        In evaluation mode.
    seed, number : int
        Of the sample.
    size : (int, int)
        Height and width in pixels, any. The sample is a torus where both are multiples of
        ``generator.architecture.step``; else it is cut out of one.
    content : array, uint8, shape (H, W, 3), optional
        The image to be stylised, of that size, for a generator that takes one.
    noise_scale : float
        Factor of the noise: more noise for more of the style and less of the content (Fig. 5).

    Returns
    -------
    array, uint8, shape (height, width, 3)
    """
    image = np.empty((*size, 3), np.uint8)
    for top, left, values in windows(generator, seed, size, number, content=content, noise_scale=noise_scale):
        image[top : top + values.shape[0], left : left + values.shape[1]] = values
    return image


def windows(generator, seed, size, number=0, *, content=None, noise_scale=1.0, side=WINDOW):
    """Make one sample in parts, from the top to the bottom.

    Parameters
    ----------
    generator, seed, size, number, content, noise_scale
        See `sample`.
    side : int
        Pixels of a part.

    Yields
    ------
    top, left : int
    array, uint8, shape (at most side, at most side, 3)
    """
    inputs = inputs_of(generator, seed, size, number, content, noise_scale)
    for top in range(0, size[0], side):
        for left in range(0, size[1], side):
            height, width = min(side, size[0] - top), min(side, size[1] - left)
            with torch.no_grad():
                made = generator.window(inputs, top, left, height, width)
            yield top, left, to_pixels(made)[0]


def inputs_of(generator, seed, size, number=0, content=None, noise_scale=1.0):
    """Build what a generator's `window` asks for: a function that gives noise, and colours, at a place.

    Raises
    ------
    InputError
        A content image is missing or not wanted, or has another size.
    """
    architecture = generator.architecture
    torus = tuple(-(-side // architecture.step) * architecture.step for side in size)
    noise = Noise(seed, number, torus, architecture.noise_channels, noise_scale)
    if architecture.content != (content is not None):
        wanted = "a content image is needed" if architecture.content else "it takes no content image"
        raise InputError(f"generator: {wanted}; give another generator")
    if content is None:
        return lambda *window: noise.window(*window).to(device_of(generator))
    if content.shape[:2] != tuple(size):
        raise InputError(
            f"content: {content.shape[0]}x{content.shape[1]} px given; {size[0]}x{size[1]} are needed"
        )
    colours = pyramid_of(content, torus, architecture.scales)

    def at(scale, top, left, height, width):
        ours = colours[scale]
        rows = torch.arange(top, top + height) % ours.shape[2]
        columns = torch.arange(left, left + width) % ours.shape[3]
        part = ours[:, :, rows][..., columns]
        drawn = noise.window(scale, top, left, height, width)
        return torch.cat([drawn, part], dim=1).to(device_of(generator))

    return at


def pyramid_of(content, torus, scales):
    """Give an image's colours in [0, 1] at every scale, its border repeated up to the size of the torus.

    Returns
    -------
    list of Tensor, shape (1, 3, H/2^i, W/2^i)
    """
    image = torch.from_numpy(np.array(content)).permute(2, 0, 1)[None].float() / 255
    below, right = torus[0] - image.shape[2], torus[1] - image.shape[3]
    image = functional.pad(image, (0, right, 0, below), mode="replicate")
    levels = [image]
    for _ in range(scales - 1):
        levels.append(functional.avg_pool2d(levels[-1], 2))
    return levels


def device_of(generator):
    """Where a generator computes."""
    return next(generator.parameters()).device


def to_pixels(images):
    """Images in [0, 1], shape (b, 3, H, W) → uint8, shape (b, H, W, 3); what lies outside is cut off."""
    values = (images.clamp(0, 1) * 255).round().to(torch.uint8)
    return values.permute(0, 2, 3, 1).cpu().numpy()
