"""The images of a study, as far as a plan has to know them."""

import math
from pathlib import Path

from texalign import formats
from texalign.errors import InputError
from texalign.images import dtd
from texalign.plan import content

#: Of procedural textures, where the config says nothing.
CLASSES, PER_CLASS = 12, 20


def check(config, where):
    """Stop when the image set does not exist, or has too few images for the numbers of clusters."""
    dataset = config["dataset"]
    if dataset["source"] == "folder" and not (dataset["path"] and Path(dataset["path"]).is_dir()):
        raise InputError(
            f"{where}: dataset: path: {dataset['path']!r} is no folder; "
            "give the one that holds <class>/<image>"
        )
    k = config["clustering"]["k"]
    if k and max(k) > (n := count(dataset)):
        raise InputError(
            f"{where}: clustering: k: {max(k)} clusters of {n} images are not possible; use 2 ... {n}"
        )


def count(dataset):
    """How many images a study has; of a folder, at most."""
    if dataset["source"] == "procedural":
        return (dataset["classes"] or CLASSES) * (dataset["per_class"] or PER_CLASS)
    cap = dataset["per_class"] or math.inf
    if dataset["source"] == "dtd":
        return dtd.CLASSES * min(dtd.PER_CLASS, cap)
    classes = filter(Path.is_dir, Path(dataset["path"]).glob("[!.]*"))
    return sum(min(cap, len(list(images.glob("[!.]*")))) for images in classes)


def images(folder):
    """List the images of a ``<folder>/<class>/<image>`` tree by their suffix, as ``<class>/<image>``."""
    files = Path(folder).glob("[!.]*/[!.]*")
    return sorted(
        f"{file.parent.name}/{file.name}" for file in files if file.suffix.lower() in formats.SUFFIXES
    )


def fingerprint(dataset, hashes):
    """Hash what changes with the images of a user's folder; None for other sources."""
    return content.of_tree(dataset["path"], hashes) if dataset["source"] == "folder" else None
