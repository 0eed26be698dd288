"""Phase-scrambled noise: an image's spectrum and colours' correlations without its structure."""

import numpy as np


def phase_scrambled(image, seed=0):
    """Randomise an image's phases.

    The same random phases are added to all three colours', so that how the colours go together at each
    frequency stays. The mean colour stays too. What then lies outside of the displayable range is cut
    off, which an image of high contrast pays with some of its spectrum.

    Parameters
    ----------
    image : array, uint8, shape (H, W, 3)
    seed : int

    Returns
    -------
    array, uint8, shape (H, W, 3)
    """
    return np.rint(scrambled(np.asarray(image, np.float64), seed).clip(0, 255)).astype(np.uint8)


def scrambled(values, seed=0):
    """Randomise phases, of real values of any range: shape (H, W, C), nothing is cut off."""
    height, width = values.shape[:2]
    # Phases of real noise have the symmetry that keeps the result real.
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width)))
    turn = noise / np.abs(noise)
    turn[0, 0] = 1  # the mean
    spectrum = np.fft.rfft2(values, axes=(0, 1)) * turn[..., None]
    return np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
