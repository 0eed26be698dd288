"""The Describable Textures Dataset: where it is, and how to know that it is whole. Standard library only."""

from collections import Counter

from texalign.errors import InputError

#: The archive of Cimpoi et al. (2014), "Describing textures in the wild", as torchvision has it.
URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"

MD5 = "fff73e5086ae6bdbea199a49dfb8a4c1"

IMAGES = "dtd/images/"

#: Its ten splits, train1.txt, val1.txt, test1.txt, ...
LABELS = "dtd/labels/"

#: Where a study has them, under its working directory.
FOLDER = "resources/dtd/images"

CLASSES = 47

PER_CLASS = 120


def verify(image_set):
    """Check that an image set is the whole Describable Textures Dataset, by its numbers.

    Raises
    ------
    InputError
        There are not 47 classes with 120 images each.
    """
    sizes = Counter(image_set.classes)
    wrong = [f"{n} in {label}" for label, n in sizes.items() if n != PER_CLASS]
    if len(sizes) != CLASSES or wrong:
        found = f"{len(sizes)} classes" + (f" ({', '.join(wrong[:3])} images)" if wrong else "")
        raise InputError(
            f"dataset: DTD has {CLASSES} classes with {PER_CLASS} images each, found {found}; "
            "delete the folder and unpack the archive again, or use source: folder"
        )
