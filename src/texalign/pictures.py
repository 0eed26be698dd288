"""Image files: photographs as RGB arrays of a size, and PNGs that say how they were made."""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from texalign.errors import InputError
from texalign.files import whole


def decode(file, size):
    """Read one image file as RGB.

    The EXIF orientation is followed; transparency is laid on white; 16-bit grey is scaled to 8 bits.
    Resized bilinearly, with antialiasing where the image shrinks, as torchvision does.

    Parameters
    ----------
    file : str or Path
        The file; of an animation its first frame.
    size : int, (int, int) or None
        Height and width in pixels, one number for both; the aspect ratio is not kept. None keeps the
        image's own.

    Returns
    -------
    numpy.ndarray
        RGB, uint8, shape (height, width, 3).

    Raises
    ------
    InputError
        The file is empty, truncated, corrupt or enormous.
    """
    try:
        with Image.open(file) as image:
            image.verify()  # the checksums of a PNG; other formats have none that Pillow knows of
        with Image.open(file) as image:
            # Up to twice this Pillow only warns, and a warning cannot be made an error in one thread alone.
            if math.prod(image.size) > Image.MAX_IMAGE_PIXELS:
                raise Image.DecompressionBombError(f"more than {Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels")
            rgb = _to_rgb(ImageOps.exif_transpose(image))
        if size is None:
            return np.asarray(rgb)
        height, width = (size, size) if isinstance(size, int) else size
        return np.asarray(rgb.resize((width, height), Image.Resampling.BILINEAR))
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them stumble on
        empty = Path(file).is_file() and not Path(file).stat().st_size
        reason = "the file is empty" if empty else " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file}: cannot be decoded ({reason}); replace the image, or remove it") from error


def _to_rgb(image):
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _to_8_bits(image):
    """Scale deep grey values: Pillow's own conversion clips them at 255."""
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    # Integers are 16 bits deep. Floats say nothing of their range: take the narrowest usual one.
    ranges = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    full = next((top for top in ranges if low >= 0 and high <= top), None)
    if full is None:
        raise ValueError(f"grey values from {low:g} to {high:g}, allowed are 0 to {ranges[-1]:g}")
    return Image.fromarray(np.rint(values * (255 / full)).astype(np.uint8))


def save_png(path, image, metadata):
    """Write an image as a PNG, with its metadata as JSON in a text chunk named ``texalign``.

    Parameters
    ----------
    path : str or Path
    image : Tensor, shape (3, H, W), or array, uint8, shape (H, W, 3)
        A tensor is in [0, 1].
    metadata : dict
        Plain values.
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        pixels = np.rint(pixels.astype(np.float64).transpose(1, 2, 0) * 255).astype(np.uint8)
    text = PngInfo()
    text.add_text("Software", "texalign")
    text.add_text("texalign", json.dumps(metadata))
    with whole(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=text)


def read_metadata(path):
    """Read what `save_png` wrote beside the pixels.

    Raises
    ------
    InputError
        The file is no PNG of ours, or does not say by which method and maker it was made.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            metadata = json.loads(image.info.get("texalign", "{}"))
        with Image.open(path, formats=["PNG"]) as image:
            image.verify()
    except (UnidentifiedImageError, SyntaxError, ValueError, EOFError):
        metadata = {}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); delete it and run again") from error
    missing = [key for key in ("method", "maker") if key not in metadata]
    if missing:
        raise InputError(f"{path}: does not say its {' and '.join(missing)}; delete it and run again")
    return metadata
