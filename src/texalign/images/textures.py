"""Image sets: a folder of classes, the Describable Textures Dataset, and procedural textures.

An image set is a list of names with a way to read each as an RGB image of a given size. Nothing is
decoded before it is asked for, so that any number of images can be streamed.
"""

import hashlib
import logging
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from texalign.errors import InputError
from texalign.formats import SUFFIXES
from texalign.images import dtd
from texalign.images.procedural import COMPOSED, KINDS, class_name, draw
from texalign.pictures import FAINT, decode, spans

log = logging.getLogger(__name__)

SOURCES = ("dtd", "folder", "procedural")


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
        See `folder`, `dtd.verify` and `procedural`.
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
    dtd.verify(everything)
    return cap(everything, per_class, seed)


def load_dataset(dataset, path=None):
    """Find the images of a study, as its config describes them; `path` comes before the config's."""
    keys = ("classes", "per_class", "seed")
    return load(dataset["source"], path or dataset.get("path"), **{key: dataset[key] for key in keys})


def resized(image_set, resize):
    """Have the files of an image set brought to their size in another way; drawn textures have no other.

    Parameters
    ----------
    image_set : ImageSet
    resize : {'squash', 'crop', 'pad'}
        See `texalign.pictures.fitted`.
    """
    if image_set.reader is not decode or resize == "squash":
        return image_set
    return replace(image_set, reader=partial(decode, resize=resize))


def blocks(image_set, size, batch=64, threads=1):
    """Read an image set in order, a bounded number of images at a time.

    Images that are as good as constant are named in one warning at the end.

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
    faint = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(image_set), batch):
            these = range(start, min(start + batch, len(image_set)))
            block = np.stack(list(pool.map(partial(image_set.read, size=size), these)))
            faint += [image_set.files[i] for i in start + np.flatnonzero(spans(block) < FAINT)]
            yield start, block
    if faint:
        log.warning(
            "%d of %d images are (almost) constant, as %s: blank, transparent throughout, or grey values of "
            "fewer bits than the file tells, which then come out black",
            len(faint),
            len(image_set),
            _some(faint),
        )


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
    keyed = {(nfc(file.parent.name), nfc(file.name)): file for files in images.values() for file in files}
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
    keep = capped(image_set.files, image_set.classes, per_class, seed)
    return ImageSet(
        files=tuple(image_set.files[i] for i in keep),
        classes=tuple(image_set.classes[i] for i in keep),
        sources=tuple(image_set.sources[i] for i in keep),
        reader=image_set.reader,
    )


def capped(files, classes, per_class, seed=0):
    """Choose at most so many images of each class by a seed: see `cap`.

    Parameters
    ----------
    files, classes : sequence of str
    per_class : int
    seed : int

    Returns
    -------
    list of int
        Positions, ascending.
    """
    taken, keep = Counter(), []

    def draw(i):
        return hashlib.sha256(f"{seed}/{files[i]}".encode()).digest()

    for i in sorted(range(len(files)), key=draw):
        taken[classes[i]] += 1
        if taken[classes[i]] <= per_class:
            keep.append(i)
    return sorted(keep)


def procedural(classes=12, per_class=20, seed=0):
    """Make textures from a seed.

    A class is a kind of texture (`texalign.images.procedural.KINDS`), and, when these are used up, a
    coarse or a warped variant of one, or two of them in one. Scale, orientation, phase, colour,
    contrast, polarity and lighting vary within each class, so that none of them gives the class away.

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


def nfc(name):
    """Return a name in the Unicode form of all keys, NFC."""
    return unicodedata.normalize("NFC", name)


def _check_names(entries):
    """Refuse names that are one name to another file system, or to no one."""
    seen = {}
    for entry in entries:
        try:
            entry.name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{str(entry)!r}: the name is not valid Unicode; rename it") from error
        twin = seen.setdefault(nfc(nfc(entry.name).casefold()), entry)
        if twin is not entry:
            raise InputError(
                f"{entry}: has the name of {twin.name!r} but for case or Unicode form; rename or merge them"
            )


def _warn_of_skipped(path, skipped):
    if skipped:
        names = _some([str(entry.relative_to(path)) for entry in skipped])
        endings = " ".join(SUFFIXES)
        log.warning(
            "%s: skipped %d files, as %s; images are <class>/<name>, and end in %s",
            path,
            len(skipped),
            names,
            endings,
        )


def _some(names):
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
