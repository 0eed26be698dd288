"""From coarse to fine: where an optimisation begins, so that large structures come first.

From white noise, what spans many pixels is found last or never. So an image is first optimised at a
quarter of its size against the exemplar at a quarter of its size, is enlarged, optimised again at half,
and only then at its own size. The coarsest begins as noise with the exemplar's own spectrum.
"""

import torch
from torch.nn import functional

from texalign.synthesis.descent import Descent, run_in_lockstep
from texalign.synthesis.objective import readable_layers

#: Levels above the image's own size at most; and pixels of the smaller side at least.
LEVELS, SMALLEST = 2, 32


def coarse_start(objective, which, initial, seeds, settings, first=None):
    """Optimise small images of some exemplars, from the coarsest to half of the size.

    Parameters
    ----------
    objective : Objective
        At the images' own size.
    which : sequence of int
        The exemplars.
    initial : sequence of Tensor, shape (3, H, W)
        Where the images would begin otherwise, in normalised units.
    seeds : sequence of int
        Of the noise.
    settings : Settings
    first : sequence of Tensor, shape (3, H, W), optional
        What the coarsest begins as, made smaller, in place of noise.

    Returns
    -------
    images : list of Tensor, shape (3, H, W)
        Where to begin at the own size, in normalised units: `initial` where no smaller size can be read.
    sizes : list of (int, int)
        Those at which something was optimised.
    """
    network, size = objective.network, tuple(initial[0].shape[1:])
    exemplars = objective.exemplars[list(which)]
    levels = []
    for level in range(LEVELS, 0, -1):
        small = functional.avg_pool2d(exemplars, 2**level) if min(exemplars.shape[2:]) >> level else None
        ours = tuple(side >> level for side in size)
        if small is not None and min(*ours, *small.shape[2:]) >= SMALLEST:
            names = readable_layers(network, tuple(small.shape[2:]), objective.dtype)
            both = [name for name in readable_layers(network, ours, objective.dtype) if name in names]
            if both:
                levels.append((ours, 2**level, small, both))
    images = list(initial)
    for number, (ours, factor, small, names) in enumerate(levels):
        if number == 0 and first is not None:
            images = [functional.adaptive_avg_pool2d(image, ours) for image in first]
        elif number == 0:
            images = [spot_noise(one, ours, seed) for one, seed in zip(small, seeds, strict=True)]
        coarse = objective.reduced(which, factor, names)
        images = _optimise(coarse, _enlarged(images, ours), settings)
    return _enlarged(images, size), [ours for ours, *_ in levels]


def _optimise(coarse, images, settings):
    descents = [Descent(index, image, coarse, settings) for index, image in enumerate(images)]
    run_in_lockstep(descents, coarse.evaluate)
    return [descent.image for descent in descents]


def _enlarged(images, size):
    return [
        functional.interpolate(image[None], size, mode="bilinear", align_corners=False)[0]
        if tuple(image.shape[1:]) != size
        else image
        for image in images
    ]


def spot_noise(exemplar, size, seed):
    """Gaussian noise with an exemplar's mean colour and spectrum (Galerne et al., 2011).

    Parameters
    ----------
    exemplar : Tensor, shape (3, h, w)
    size : (int, int)
        Height and width of the noise; any.
    seed : int

    Returns
    -------
    Tensor, shape (3, height, width)
        White noise, convolved on the torus with the exemplar about its mean, of the same type.
    """
    mean = exemplar.mean((1, 2), keepdim=True)
    height, width = (max(pair) for pair in zip(size, exemplar.shape[1:], strict=True))
    noise = torch.randn((height, width), generator=torch.Generator().manual_seed(seed)).to(exemplar)
    kernel = torch.zeros((3, height, width)).to(exemplar)
    kernel[:, : exemplar.shape[1], : exemplar.shape[2]] = exemplar - mean
    kernel /= exemplar[0].numel() ** 0.5
    spectrum = torch.fft.rfft2(kernel) * torch.fft.rfft2(noise)
    noise = torch.fft.irfft2(spectrum, s=(height, width)) + mean
    return noise[:, : size[0], : size[1]].contiguous()
