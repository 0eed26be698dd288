"""How a network's weights want their images: mean and standard deviation, and the size they were made with.

torchvision says it in its enums of weights, timm in ``pretrained_cfg``; what a row of the model table
declares goes before both.
"""

import logging
from typing import NamedTuple

log = logging.getLogger(__name__)

#: Mean and standard deviation of ImageNet's channels in [0, 1], what most of torchvision's weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)

IMAGENET_STD = (0.229, 0.224, 0.225)

#: Who says the preprocessing of weights of which nothing is known.
NOBODY = "ImageNet's, as nothing else is said"


class Preprocessing(NamedTuple):
    """What is done to images in [0, 1].

    Attributes
    ----------
    mean, std : tuple of float
        Of the three channels.
    source : str
        Who says so, in words.
    size : str
        The images that the weights were made with, in words; empty where it is not known.
    """

    mean: tuple = IMAGENET_MEAN
    std: tuple = IMAGENET_STD
    source: str = NOBODY
    size: str = ""

    def __str__(self):
        """Name all of it, for a file's attributes."""
        size = f"; the weights were made with {self.size}" if self.size else ""
        return f"mean {self.mean}, standard deviation {self.std} ({self.source}){size}"


def of_torchvision(weights, source):
    """Preprocessing of weights in torchvision's enums, from their ``transforms()``.

    Transforms without a mean leave images in [0, 1], as those of detection networks, which normalise by
    themselves.
    """
    transforms = weights.transforms()
    mean, std = getattr(transforms, "mean", (0.0, 0.0, 0.0)), getattr(transforms, "std", (1.0, 1.0, 1.0))
    crop, resize = (_pixels(getattr(transforms, key, None)) for key in ("crop_size", "resize_size"))
    interpolation = getattr(getattr(transforms, "interpolation", None), "value", "")
    size = ", ".join(
        [f"{crop} px" if crop else "", f"cut from {resize} px" if resize and crop else "", interpolation]
    )
    return Preprocessing(tuple(mean), tuple(std), source, size.strip(", ") if crop else "")


def of_timm(cfg):
    """Preprocessing from timm's ``pretrained_cfg``; None where that is not of three channels."""
    cfg = cfg if isinstance(cfg, dict) else vars(cfg)
    mean, std = tuple(cfg.get("mean") or ()), tuple(cfg.get("std") or ())
    if len(mean) != 3 or len(std) != 3:
        return None
    name = ".".join(filter(None, [cfg.get("architecture"), cfg.get("tag")]))
    pixels = _pixels(cfg.get("input_size", ())[-2:])
    size = f"{pixels} px, {cfg.get('interpolation', '')}".strip(", ") if pixels else ""
    return Preprocessing(mean, std, f"timm's pretrained_cfg{f' of {name}' if name else ''}", size)


def chosen(declared, own):
    """Take what the model table declares, or else the weights' own, and tell where the two differ.

    Parameters
    ----------
    declared : dict or None
        ``mean`` and ``std`` of the entry.
    own : Preprocessing
    """
    if not declared:
        return own
    mean, std = tuple(declared["mean"]), tuple(declared["std"])
    if (mean, std) != (own.mean, own.std) and own.source != NOBODY:
        log.warning(
            "preprocess: mean %s, std %s are declared and taken; mean %s, std %s: %s", mean, std, *own[:3]
        )
    return own._replace(mean=mean, std=std, source="the model table's")


def _pixels(size):
    """``[224]`` → ``224``, ``(480, 640)`` → ``480x640``."""
    return "x".join(map(str, dict.fromkeys(size))) if size else ""
