"""Image files: photographs as RGB arrays of a size, and PNGs that say how they were made."""

import functools
import json
import math
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from texalign.errors import InputError
from texalign.files import whole
from texalign.formats import FORMATS

#: Tags of TIFF: the bits of a sample, and the largest value of any, in two types.
BITS, LARGEST = 258, (281, 341)

#: How an image is brought to a size: see `fitted`.
RESIZES = ("squash", "crop", "pad")

#: Levels of 255 that an image spans at least, unless it is as good as constant: 12 bits within 16 span 16.
FAINT = 17


def decode(file, size, resize="squash"):
    """Read one image file as RGB.

    The EXIF orientation is followed; transparency is laid on white; deep grey is scaled to 8 bits from
    the range that the file's tags tell. What a file is, its content says and not its suffix.
    Resized bilinearly, with antialiasing where the image shrinks, as torchvision does.

    Parameters
    ----------
    file : str or Path
        The file; of an animation its first frame.
    size : int, (int, int) or None
        Height and width in pixels, one number for both. None keeps the image's own.
    resize : {'squash', 'crop', 'pad'}
        See `fitted`.

    Returns
    -------
    numpy.ndarray
        RGB, uint8, shape (height, width, 3).

    Raises
    ------
    InputError
        The file is empty, truncated, corrupt, enormous, or of none of the formats that are promised.
    """
    try:
        with Image.open(file, formats=_formats()) as image:
            if image.format == "PNG":
                _check_chunks(file)
            # Up to twice this Pillow only warns, and a warning cannot be made an error in one thread alone.
            if math.prod(image.size) > Image.MAX_IMAGE_PIXELS:
                raise Image.DecompressionBombError(f"more than {Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels")
            rgb = _to_rgb(ImageOps.exif_transpose(image), _depth(image))
        if size is None:
            return np.asarray(rgb)
        return np.asarray(fitted(rgb, *((size, size) if isinstance(size, int) else size), resize))
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them stumble on
        empty = Path(file).is_file() and not Path(file).stat().st_size
        reason = "the file is empty" if empty else " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file}: cannot be decoded ({reason}); replace the image, or remove it") from error


def fitted(image, height, width, resize="squash"):
    """Bring an image to a size, bilinearly, with antialiasing where it shrinks.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.
    height, width : int
        In pixels.
    resize : {'squash', 'crop', 'pad'}
        ``squash`` does not keep the aspect ratio. The others do: ``crop`` fills the size and cuts off what
        stands out on both sides, as torchvision's ``Resize`` and ``CenterCrop`` do; ``pad`` keeps all of the
        image, in the middle of its own mean colour.
    """
    if resize not in RESIZES:
        raise ValueError(f"resize: {resize!r} is not allowed; use one of {', '.join(RESIZES)}")
    if resize == "squash":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    wide = image.width * height >= image.height * width
    if wide == (resize == "crop"):
        inner = max(1, int(height * image.width / image.height)), height
    else:
        inner = width, max(1, int(width * image.height / image.width))
    scaled = image.resize(inner, Image.Resampling.BILINEAR)
    left, top = (round((ours - all_) / 2) for ours, all_ in zip(inner, (width, height), strict=True))
    if resize == "crop":
        return scaled.crop((left, top, left + width, top + height))
    mean = np.rint(np.asarray(image).mean(axis=(0, 1))).astype(int)
    whole_image = Image.new("RGB", (width, height), tuple(mean.tolist()))
    whole_image.paste(scaled, (-left, -top))
    return whole_image


def _check_chunks(file):
    """Hold a PNG's chunks against their CRC-32; Pillow reads on over pixels whose checksum is wrong.

    Raises
    ------
    OSError
        A chunk is damaged, or there is no end.
    """
    content, place, name = memoryview(Path(file).read_bytes()), 8, b""
    while name != b"IEND":
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if end > len(content) or place == len(content):
            raise OSError("the PNG is cut short")
        name = bytes(content[place + 4 : place + 8])
        if zlib.crc32(content[place + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            raise OSError(f"the PNG's part at byte {place} is damaged")
        place = end


@functools.cache
def _formats():
    """List what this Pillow can open of what is promised."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def spans(images):
    """Tell how many of 255 levels each image spans, in the colour in which it spans most.

    Parameters
    ----------
    images : array, uint8, shape (n, H, W, 3)

    Returns
    -------
    array of int, shape (n,)
        Below `FAINT` for an image that is as good as constant: a blank one, one that is transparent
        throughout, or one whose grey values have fewer bits than their file tells.
    """
    return (images.max(axis=(1, 2)).astype(int) - images.min(axis=(1, 2))).max(axis=1)


def _to_rgb(image, depth=None):
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _to_8_bits(image, depth)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _depth(image):
    """Count the bits of deep grey values by a TIFF file's tags: of the largest value, or of all."""
    tags = getattr(image, "tag_v2", {})
    largest = max(int(np.max(tags.get(tag, 0))) for tag in LARGEST)
    return largest.bit_length() if largest > 0 else min(16, int(np.max(tags.get(BITS, 16))))


def _to_8_bits(image, depth):
    """Scale deep grey values: Pillow's own conversion clips them at 255."""
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    # Integers are 16 bits deep where no tag says otherwise. Floats say nothing of their range: take the
    # narrowest usual one.
    ranges = (1.0, 255.0, 65535.0) if image.mode == "F" else (2.0**depth - 1,)
    full = next((top for top in ranges if low >= 0 and high <= top), None)
    if full is None:
        raise ValueError(f"grey values from {low:g} to {high:g}, allowed are 0 to {ranges[-1]:g}")
    return Image.fromarray(np.rint(values * (255 / full)).astype(np.uint8))


def to_pixels(image):
    """Turn an image in [0, 1], shape (3, H, W), into uint8, shape (H, W, 3); one that is so stays."""
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        pixels = np.rint(pixels.astype(np.float64).transpose(1, 2, 0) * 255).astype(np.uint8)
    return pixels


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
    pixels = to_pixels(image)
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
        _check_chunks(path)
    except (UnidentifiedImageError, SyntaxError, ValueError, EOFError):
        metadata = {}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); delete it and run again") from error
    missing = [key for key in ("method", "maker") if key not in metadata]
    if missing:
        raise InputError(f"{path}: does not say its {' and '.join(missing)}; delete it and run again")
    return metadata
