"""Image sets: a folder of classes, the Describable Textures Dataset, and procedural textures.

An image set is a list of names with a way to read each as an RGB image of a given size. Nothing is
decoded before it is asked for, so that any number of images can be streamed.
"""

import difflib
import hashlib
import logging
import math
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from texalign import InputError
from texalign.procedural import COMPOSED, KINDS, class_name, draw

log = logging.getLogger(__name__)

#: The archive of Cimpoi et al. (2014), "Describing textures in the wild", as torchvision has it.
DTD_URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"
DTD_MD5 = "fff73e5086ae6bdbea199a49dfb8a4c1"
DTD_IMAGES = "dtd/images/"
DTD_CLASSES = 47
DTD_PER_CLASS = 120

SOURCES = ("dtd", "folder", "procedural")
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class ImageSet:
    """Images with their human labels, sorted by class and then by file.

    Attributes
    ----------
    files : tuple of str
        A unique key each, ``"<class>/<file>"``, Unicode NFC.
    classes : tuple of str
        The human label of each image.
    sources : tuple
        What `reader` needs to know of each image.
    reader : callable
        ``reader(source, size)`` gives the image, uint8, shape (size, size, 3).
    """

    files: tuple[str, ...]
    classes: tuple[str, ...]
    sources: tuple = field(repr=False)
    reader: Callable = field(repr=False)

    def __len__(self):
        return len(self.files)

    def read(self, i, size):
        """Decode image `i`.

        Parameters
        ----------
        i : int
            Position in `files`.
        size : int
            Height and width in pixels. The aspect ratio is not kept.

        Returns
        -------
        numpy.ndarray
            RGB, uint8, shape (size, size, 3).

        Raises
        ------
        InputError
            The image cannot be decoded.
        """
        return self.reader(self.sources[i], size)


def load(source, path=None, classes=None, per_class=None, seed=0):
    """Find the images of a study.

    Parameters
    ----------
    source : {"folder", "dtd", "procedural"}
        See `folder`, `verify_dtd` and `procedural`.
    path : str or Path, optional
        The folder that holds one folder a class; for ``folder`` and ``dtd``.
    classes : int, optional
        Number of classes, for ``procedural`` (12).
    per_class : int, optional
        Images in each class for ``procedural`` (20), at most so many for the others (all).
    seed : int
        Chooses the images under the cap, or makes the procedural textures.

    Returns
    -------
    ImageSet

    Raises
    ------
    InputError
        The source is unknown, or what it names cannot be used.
    """
    if source == "procedural":
        return procedural(12 if classes is None else classes, 20 if per_class is None else per_class, seed)
    if source not in SOURCES:
        raise InputError(f"dataset.source: {source!r} is unknown; allowed: {', '.join(SOURCES)}")
    if path is None:
        raise InputError(f"dataset.path: missing; source {source} needs the folder of the class folders")
    if source == "folder":
        return folder(path, per_class, seed)
    everything = folder(path)
    verify_dtd(everything)
    return cap(everything, per_class, seed)


def load_dataset(dataset, path=None):
    """Find the images of a study, as its config describes them; `path` comes before the config's."""
    keys = ("classes", "per_class", "seed")
    return load(dataset["source"], path or dataset.get("path"), **{key: dataset[key] for key in keys})


def blocks(image_set, size, batch=64, threads=1):
    """Read an image set in order, a bounded number of images at a time.

    Parameters
    ----------
    image_set : ImageSet
        What to read.
    size : int
        Height and width in pixels.
    batch : int
        Images in memory at once.
    threads : int
        Decoding threads; Pillow and NumPy work in parallel.

    Yields
    ------
    start : int
        Position of the block's first image.
    images : numpy.ndarray
        RGB, uint8, shape (up to `batch`, size, size, 3).

    Raises
    ------
    InputError
        An image cannot be decoded.
    """
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(image_set), batch):
            these = range(start, min(start + batch, len(image_set)))
            yield start, np.stack(list(pool.map(partial(image_set.read, size=size), these)))


# ---------------------------------------------------------------- folders of classes


def folder(path, per_class=None, seed=0):
    """List a ``<path>/<class>/<image>`` tree.

    Hidden files and folders are passed over; anything else that is not an image is named in one
    warning and passed over.

    Parameters
    ----------
    path : str or Path
        The folder that holds one folder a class.
    per_class : int, optional
        Take at most so many images of each class, see `cap`.
    seed : int
        Which images those are.

    Returns
    -------
    ImageSet

    Raises
    ------
    InputError
        There is no such folder, it has fewer than 2 classes, a class has fewer than 2 images, or two
        classes or files have names that differ only in case or in their Unicode form.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; give the folder that holds one folder of images a class")
    visible = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    class_folders = [entry for entry in visible if entry.is_dir()]
    if len(class_folders) < 2:
        raise InputError(
            f"{path}: {len(class_folders)} class folders; at least 2 are needed, each with its images in it "
            "(<path>/<class>/<image>)"
        )
    images, skipped = {}, [entry for entry in visible if not entry.is_dir()]
    for class_folder in class_folders:
        for entry in sorted(class_folder.iterdir()):
            if entry.name.startswith("."):
                continue
            if entry.suffix.lower() in SUFFIXES and entry.is_file():
                images.setdefault(class_folder, []).append(entry)
            else:
                skipped.append(entry)
    _warn_of_skipped(path, skipped)
    _check_names(class_folders)
    for class_folder in class_folders:
        found = images.get(class_folder, [])
        _check_names(found)
        if len(found) < 2:
            raise InputError(
                f"{class_folder}: {len(found)} images; a class needs at least 2; add some, or remove it"
            )
    keyed = {(_nfc(file.parent.name), _nfc(file.name)): file for files in images.values() for file in files}
    # By code point, not by locale or the order of the file system.
    keys = sorted(keyed)
    everything = ImageSet(
        files=tuple("/".join(key) for key in keys),
        classes=tuple(label for label, _ in keys),
        sources=tuple(keyed[key] for key in keys),
        reader=decode,
    )
    return cap(everything, per_class, seed)


def cap(image_set, per_class, seed=0):
    """Keep at most so many images of each class, chosen by a seed.

    An image is kept or not whatever the other classes hold, and a larger cap keeps all that a
    smaller one does.

    Parameters
    ----------
    image_set : ImageSet
        What to choose from.
    per_class : int or None
        The most images of one class, at least 2; None keeps all.
    seed : int
        Which images those are.

    Returns
    -------
    ImageSet

    Raises
    ------
    InputError
        `per_class` is below 2.
    """
    if per_class is None:
        return image_set
    if per_class < 2:
        raise InputError(f"dataset.per_class: {per_class} given; at least 2 images of a class are needed")
    taken, keep = Counter(), []

    def draw(i):
        return hashlib.sha256(f"{seed}/{image_set.files[i]}".encode()).digest()

    for i in sorted(range(len(image_set)), key=draw):
        taken[image_set.classes[i]] += 1
        if taken[image_set.classes[i]] <= per_class:
            keep.append(i)
    keep.sort()
    return ImageSet(
        files=tuple(image_set.files[i] for i in keep),
        classes=tuple(image_set.classes[i] for i in keep),
        sources=tuple(image_set.sources[i] for i in keep),
        reader=image_set.reader,
    )


def verify_dtd(image_set):
    """Check that an image set is the whole Describable Textures Dataset, by its numbers.

    Raises
    ------
    InputError
        There are not 47 classes with 120 images each.
    """
    sizes = Counter(image_set.classes)
    wrong = [f"{n} in {label}" for label, n in sizes.items() if n != DTD_PER_CLASS]
    if len(sizes) != DTD_CLASSES or wrong:
        found = f"{len(sizes)} classes" + (f" ({', '.join(wrong[:3])} images)" if wrong else "")
        raise InputError(
            f"dataset: DTD has {DTD_CLASSES} classes with {DTD_PER_CLASS} images each, found {found}; "
            "delete the folder and unpack the archive again, or use source: folder"
        )


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


def _nfc(name):
    return unicodedata.normalize("NFC", name)


def _check_names(entries):
    """Refuse names that are one name to another file system, or to no one."""
    seen = {}
    for entry in entries:
        try:
            entry.name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{str(entry)!r}: the name is not valid Unicode; rename it") from error
        twin = seen.setdefault(_nfc(_nfc(entry.name).casefold()), entry)
        if twin is not entry:
            raise InputError(
                f"{entry}: has the name of {twin.name!r} but for case or Unicode form; rename or merge them"
            )


def _warn_of_skipped(path, skipped):
    if skipped:
        names = ", ".join(str(entry.relative_to(path)) for entry in skipped[:3])
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        log.warning(
            "%s: skipped %s%s; images are <class>/<name> and end in %s",
            path,
            names,
            more,
            " ".join(SUFFIXES),
        )


# ---------------------------------------------------------------- exemplars of a synthesis


def exemplar(name, size, file=None, dataset=None):
    """Read the texture that an image is to be synthesised from.

    Parameters
    ----------
    name : str
        What the user wrote: a file, or ``"<class>/<file>"`` of the image set.
    size : int, (int, int) or None
        See `decode`.
    file : str or Path, optional
        The image, or the folder of the image set.
    dataset : dict, optional
        Of a procedural image set: classes, per_class, seed.

    Returns
    -------
    numpy.ndarray
        RGB, uint8, shape (height, width, 3).

    Raises
    ------
    InputError
        The image set has no such image (the nearest names are given), it cannot be decoded, or it is
        constant.
    """
    if file is not None and not Path(file).is_dir():
        image = decode(file, size)
    elif file is not None:
        images = folder(file)
        image = images.read(find(images, name), size)
    else:
        images = load("procedural", **(dataset or {}))
        position = find(images, name)
        if not isinstance(size, int):
            raise InputError(f"size: {size} given; a procedural texture is square and has no size of its own")
        image = images.read(position, size)
    if (image == image[0, 0]).all():
        raise InputError(f"textures: {name}: the image is constant, it has no texture; give another")
    return image


def classmates(image_set, name, most, size):
    """Read other images of an exemplar's class.

    Parameters
    ----------
    image_set : ImageSet
    name : str
        The exemplar, ``"<class>/<file>"``; it need not be in the set, as where a cap leaves it out.
    most : int
        How many at most: the first ones.
    size : (int, int)
        See `decode`.

    Returns
    -------
    list of numpy.ndarray
    """
    height, width = size
    size = height if height == width else (height, width)  # procedural textures are square
    name = _nfc(name)
    label = name.partition("/")[0]
    rows = zip(image_set.files, image_set.classes, strict=True)
    others = [i for i, (file, of) in enumerate(rows) if of == label and file != name]
    return [image_set.read(i, size) for i in others[:most]]


def find(image_set, name):
    """Position of an image in its set.

    Raises
    ------
    InputError
        There is no such image; the nearest names are given.
    """
    name = _nfc(name)
    if name in image_set.files:
        return image_set.files.index(name)
    near = difflib.get_close_matches(name, image_set.files, n=3, cutoff=0.4) or image_set.files[:3]
    raise InputError(f"textures: {name!r} is neither a file nor in the image set; nearest: {', '.join(near)}")


# ---------------------------------------------------------------- procedural textures


def procedural(classes=12, per_class=20, seed=0):
    """Make textures from a seed.

    A class is a kind of texture (`texalign.procedural.KINDS`), and, when these are used up, a coarse
    or a warped variant of one, or two of them in one. Scale, orientation, phase, colour, contrast,
    polarity and lighting vary within each class, so that none of them gives the class away.

    Parameters
    ----------
    classes : int
        The first so many classes; they stay what they are when more are asked for.
    per_class : int
        Images in each class; the first ones stay what they are when more are asked for.
    seed : int
        Makes another set of the same classes.

    Returns
    -------
    ImageSet
        Its files are named ``"<class>/<class>_0000.png"`` and exist nowhere.

    Raises
    ------
    InputError
        A number is out of range.
    """
    most = len(KINDS) * (COMPOSED + len(KINDS) - 1)
    if not 2 <= classes <= most:
        raise InputError(f"dataset.classes: {classes} given; procedural textures have 2 to {most} classes")
    if per_class < 2:
        raise InputError(f"dataset.per_class: {per_class} given; at least 2 images of a class are needed")
    if seed < 0:
        raise InputError(f"dataset.seed: {seed} given; a seed is 0 or larger")
    rows = sorted(
        (label, f"{label}/{label}_{index:04d}.png", (seed, number, index))
        for number, label in enumerate(map(class_name, range(classes)))
        for index in range(per_class)
    )
    labels, files, sources = zip(*rows, strict=True)
    return ImageSet(files, labels, sources, draw)
