"""The textures that images are synthesised from, and others of their class."""

import difflib
from pathlib import Path

from texalign.errors import InputError
from texalign.images.textures import folder, load, load_dataset, nfc
from texalign.pictures import decode


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


def classmates_of(name, dataset, folder, most, size):
    """Read other images of an exemplar's class; none where it has no class.

    Parameters
    ----------
    name : str
        The exemplar.
    dataset : dict or None
        The image set as its config describes it; None where the exemplar is not of it.
    folder : str, Path or None
        Where a downloaded set is.
    most, size
        See `classmates`.
    """
    return classmates(load_dataset(dataset, folder or None), name, most, size) if dataset else []


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
    name = nfc(name)
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
    name = nfc(name)
    if name in image_set.files:
        return image_set.files.index(name)
    near = difflib.get_close_matches(name, image_set.files, n=3, cutoff=0.4) or image_set.files[:3]
    raise InputError(f"textures: {name!r} is neither a file nor in the image set; nearest: {', '.join(near)}")
