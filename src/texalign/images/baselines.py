"""What images tell without a network: rows of pixels, of colours, of Portilla and Simoncelli's statistics."""

import numpy as np
from PIL import Image

#: Side to which images are averaged before their pixels are compared, and bins of each colour channel.
SIDE, BINS = 64, 8


def pixels(images):
    """Pixels, averaged to 64 x 64 at most.

    Parameters
    ----------
    images : array, uint8, shape (b, H, W, 3)

    Returns
    -------
    array, float32, shape (b, D)
        In [0, 1].
    """
    side = min(SIDE, images.shape[1])
    small = [Image.fromarray(image).resize((side, side), Image.Resampling.BOX) for image in images]
    return np.stack(list(map(np.asarray, small))).reshape(len(images), -1).astype(np.float32) / 255


def colour_histogram(images):
    """Joint histograms of red, green and blue, 8 bins each, as roots of shares.

    Parameters
    ----------
    images : array, uint8, shape (b, H, W, 3)

    Returns
    -------
    array, float32, shape (b, 512)
        Of norm one: their distance is √2 times the Hellinger distance of the histograms.
    """
    codes = (images.reshape(len(images), -1, 3) // (256 // BINS)) @ np.array([BINS**2, BINS, 1])
    counts = np.stack([np.bincount(own, minlength=BINS**3) for own in codes])
    return np.sqrt(counts / codes.shape[1]).astype(np.float32)


#: Those that need no other package; `texalign.synthesis.portilla_simoncelli.statistics` needs plenoptic.
PLAIN = {"pixels": pixels, "colour_histogram": colour_histogram}


def standardised(rows):
    """Give each column mean zero and spread one, where it has a spread.

    Parameters
    ----------
    rows : array, shape (n, D)
        Statistics of different units.

    Returns
    -------
    array, float32, shape (n, D)
    """
    rows = np.asarray(rows, np.float64)
    means = rows.mean(axis=0)
    rows = rows - means
    spread = rows.std(axis=0)
    kept = spread > 1e-12 * np.abs(means)  # what rounding leaves of a constant
    return (rows[:, kept] / spread[kept]).astype(np.float32)
