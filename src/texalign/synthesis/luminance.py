"""Luminance and contrast of images in linear light, and how to give them others.

An image's values are not light: a screen shows them through its gamma. Means, contrasts and changes are
taken of what it shows. `gamma` is ``"srgb"`` (IEC 61966-2-1), or an exponent for a screen that was
measured to be one; luminance is relative to the screen's white.
"""

import numpy as np

from texalign.errors import InputError

#: Share of the linear primaries in the luminance (Rec. 709, which sRGB has too).
PRIMARIES = np.array([0.2126, 0.7152, 0.0722])
#: Rounds of correction for what is cut off at black and white.
ROUNDS = 30
#: How many times as much light as the whole a pixel may gain with its colour.
GREYING = 2


def check_gamma(gamma):
    """Refuse what is neither ``srgb`` nor an exponent.

    Raises
    ------
    InputError
    """
    if gamma != "srgb" and (isinstance(gamma, bool | str) or not 1 <= gamma <= 4):
        raise InputError(f"gamma: {gamma!r} given; use srgb, or an exponent from 1 to 4")


def to_linear(image, gamma="srgb"):
    """Light that a screen shows, from 0 to 1, for values of 0 to 255; any shape.

    Examples
    --------
    >>> to_linear(np.array([0, 255])).tolist()
    [0.0, 1.0]
    """
    values = np.asarray(image, np.float64) / 255
    if gamma != "srgb":
        return values**gamma
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def from_linear(light, gamma="srgb"):
    """Inverse of `to_linear`, to whole values; what lies outside of 0 to 1 is cut off."""
    light = np.clip(light, 0, 1)
    if gamma != "srgb":
        values = light ** (1 / gamma)
    else:
        values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(values * 255).astype(np.uint8)


def measure(image, gamma="srgb"):
    """Mean luminance, and RMS contrast: the standard deviation of the luminance over its mean.

    Parameters
    ----------
    image : array, uint8, shape (H, W, 3)

    Returns
    -------
    (float, float)
        The mean is relative to white. A black image has no contrast: 0.
    """
    luminance = to_linear(image, gamma) @ PRIMARIES
    mean = luminance.mean()
    return float(mean), float(luminance.std() / mean) if mean > 0 else 0.0


def match(image, mean=None, contrast=None, gamma="srgb"):
    """Give an image another mean luminance and RMS contrast.

    The luminance is stretched about its mean, and the colours of a pixel go with its luminance, so that
    its chromaticity stays. But a dark pixel that becomes many times as light goes towards grey: the chance
    colours of a photograph's shadows would be speckles. What would be darker than black or brighter than a
    primary can be is cut off, and the stretch is corrected for it, as far as that goes: `measure` tells
    what was reached.

    Parameters
    ----------
    image : array, uint8, shape (H, W, 3)
    mean, contrast : float, optional
        What is wanted; the image's own where none is given.
    gamma
        See above.

    Returns
    -------
    array, uint8, shape (H, W, 3)
    """
    check_gamma(gamma)
    light = to_linear(image, gamma)
    luminance = light @ PRIMARIES
    own_mean, own_contrast = measure(image, gamma)
    mean = own_mean if mean is None else mean
    contrast = own_contrast if contrast is None else contrast
    if luminance.std() == 0 or own_mean == 0:
        return from_linear(np.full_like(light, mean), gamma)
    colour = light - luminance[..., None]
    standard = (luminance - own_mean) / luminance.std()
    level, spread, best, least = mean, contrast * mean, None, np.inf
    for _ in range(ROUNDS):
        wanted = np.clip(level + spread * standard, 0, None)
        most = GREYING * max(level / own_mean, spread / luminance.std())
        share = np.minimum(wanted / np.maximum(luminance, 1e-12), most)
        made = from_linear(wanted[..., None] + share[..., None] * colour, gamma)
        reached, its_contrast = measure(made, gamma)
        error = abs(reached - mean) / mean + abs(its_contrast - contrast) / max(contrast, 1e-12)
        if error < least:
            best, least = made, error
        if error < 1e-3 or its_contrast == 0:
            break
        level += mean - reached
        spread *= np.clip(contrast / its_contrast, 0.5, 2)
    return best
