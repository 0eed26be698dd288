"""Where weights come from, as a row of the model table says it. Standard library only."""

import os
import re
from pathlib import Path

from texalign.errors import InputError

#: Where the hub is; the variable HF_ENDPOINT, which its own programs read, names a mirror.
HUB = "https://huggingface.co"

_ON_HUB = re.compile(
    r"hub:(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)(?:/(?P<file>[\w.-]+(?:/[\w.-]+)*))?"
)


def is_enum(source):
    """Tell whether a ``weights`` value is a name in torchvision's enums, as ``IMAGENET1K_V1``.

    Examples
    --------
    >>> is_enum("IMAGENET1K_V1"), is_enum("weights/mine.pth")
    (True, False)
    """
    return re.fullmatch(r"[A-Z][A-Z0-9_]*", source) is not None


def is_on_hub(source):
    """Tell whether weights are on Hugging Face's hub: ``hub:<owner>/<repository>@<revision>[/<file>]``."""
    return source.startswith("hub:")


def hub_url(source):
    """Where a file on the hub is fetched from.

    Parameters
    ----------
    source : str
        Without a file, ``model.safetensors``.

    Raises
    ------
    InputError
        It is not of the form that `is_on_hub` has.

    Examples
    --------
    >>> hub_url("hub:timm/resnet18.a1_in1k@main").removeprefix(os.environ.get("HF_ENDPOINT", HUB))
    '/timm/resnet18.a1_in1k/resolve/main/model.safetensors'
    """
    found = _ON_HUB.fullmatch(source)
    if not found:
        raise InputError(
            f"weights: {source} is no place on the hub; write hub:<owner>/<repository>@<revision>, and "
            "/<file> behind it, where that is not model.safetensors"
        )
    file = found["file"] or "model.safetensors"
    endpoint = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    return f"{endpoint}/{found['repository']}/resolve/{found['revision']}/{file}"


def is_published(source):
    """Tell whether the weights have to be fetched: a URL, a place on the hub, or torchvision's enums."""
    return "://" in source or is_on_hub(source) or is_enum(source)


def is_locked(entry):
    """Tell whether nothing but a lock file knows the hash of an entry's weights, on a URL or the hub."""
    source = entry["weights"]
    return is_published(source) and not is_enum(source) and "sha256" not in entry


def lock_file(tables, network):
    """Name the lock file of a network's weights: beside the last model table that says what they are.

    Parameters
    ----------
    tables : dict of str to dict
        Name of a table to its content, in their order.
    network : str

    Examples
    --------
    >>> lock_file({"a.yaml": {"x": {"weights": "hub:o/r@main"}}, "b.yaml": {"x": {"label": "X"}}}, "x")
    'a.lock'
    """
    of = [name for name, table in tables.items() if "weights" in (table.get(network) or {})]
    return str(Path(of[-1]).with_suffix(".lock"))


def own_file(source):
    """Name the user's own file of weights; None where they are fetched, in a package, or untrained."""
    elsewhere = source == "untrained" or source.startswith("package:") or is_published(source)
    return None if elsewhere else source
