"""Where weights come from, as a row of the model table says it. Standard library only."""

import re


def is_enum(source):
    """Tell whether a ``weights`` value is a name in torchvision's enums, as ``IMAGENET1K_V1``.

    Examples
    --------
    >>> is_enum("IMAGENET1K_V1"), is_enum("weights/mine.pth")
    (True, False)
    """
    return re.fullmatch(r"[A-Z][A-Z0-9_]*", source) is not None


def is_published(source):
    """Tell whether the weights have to be fetched: a URL, or a name in torchvision's enums."""
    return "://" in source or is_enum(source)


def own_file(source):
    """Name the user's own file of weights; None where they are fetched, in a package, or untrained."""
    elsewhere = source == "untrained" or source.startswith("package:") or is_published(source)
    return None if elsewhere else source
