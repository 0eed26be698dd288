"""Tokens as feature maps: which of a transformer's tokens are places of the image, and how these lie."""

import math

import torch
from torch import nn

from texalign import trial
from texalign.errors import InputError


def grid(count, height, width):
    """Rows and columns of tokens that lie evenly over an image; None where so many cannot.

    Parameters
    ----------
    count : int
        Tokens.
    height, width : int
        Of the image, in pixels.

    Examples
    --------
    >>> grid(196, 224, 224), grid(197, 224, 224), grid(12, 96, 128)
    ((14, 14), None, (3, 4))
    """
    rows = max(1, round(math.sqrt(count * height / width)))
    columns = count // rows
    even = abs(rows * width - columns * height) < max(height, width)
    return (rows, columns) if rows * columns == count and even else None


def claimed(module, name):
    """How many tokens a network itself says to stand before the image's; None where it does not say.

    Parameters
    ----------
    module : nn.Module
        The network. timm's have ``num_prefix_tokens``, torchvision's one ``class_token``.
    name : str
        Of the module that is read: the innermost part of the network around it counts.
    """
    parts = name.split(".")
    for end in range(len(parts), -1, -1):
        part = module.get_submodule(".".join(parts[:end]))
        count = getattr(part, "num_prefix_tokens", None)
        if isinstance(count, int):
            return count
        for token in (getattr(part, key, None) for key in ("class_token", "cls_token")):
            if isinstance(token, nn.Parameter) and token.ndim == 3:
                return token.shape[1]
    return None


def constant(module, images, shapes):
    """Count the tokens that are the same for two images, where tensors of some shapes first appear.

    There no token has seen another: those of the image differ, a class token and registers do not.

    Parameters
    ----------
    module : nn.Module
    images : Tensor, shape (2, 3, H, W)
        Different everywhere.
    shapes : set of (int, int)
        Tokens and channels.

    Returns
    -------
    dict of (int, int) to int
        Without those shapes in which the constant tokens do not stand in front.
    """
    found = {}

    def note(tensors):
        for tensor in tensors:
            shape = tuple(tensor.shape[1:])
            if shape in shapes and len(tensor) == 2 and shape not in found:
                same = (tensor[0] == tensor[1]).all(dim=1)
                found[shape] = int(same.sum()) if same[: int(same.sum())].all() else None

    with trial.hooked(
        module,
        before=lambda _name, _part, inputs: note(trial.tensors(inputs)),
        after=lambda _name, _part, output: note(trial.tensors(output)),
    ):
        trial.run(module, images)
    return {shape: count for shape, count in found.items() if count is not None}


def prefix(count, image, name, declared=None, found=None, said=None):
    """Decide how many tokens stand before those of the image.

    Parameters
    ----------
    count : int
        All tokens.
    image : (int, int)
        Height and width in pixels.
    name : str
        Of the module, for errors.
    declared : int, optional
        By the model table.
    found : int, optional
        By `constant`. It goes before what the network says.
    said : int, optional
        By `claimed`.

    Raises
    ------
    InputError
        What is declared is wrong, or no number leaves tokens that lie evenly over the image.
    """

    def fits(number):
        return number is not None and 0 <= number < count and grid(count - number, *image) is not None

    size = "x".join(map(str, image))
    if found == count:
        raise InputError(
            f"layers: the {count} tokens of {name} are no places of the image: they begin the same for "
            "any; choose another module"
        )
    known = next((number for number in (found, said, 0) if fits(number)), None)
    if declared is not None:
        if not fits(declared) or (fits(found) and declared != found):
            right = f"; {known} would be" if known is not None else ""
            raise InputError(
                f"prefix_tokens: {declared} is declared, but {count} less {declared} tokens of {name} are "
                f"not those of {size} px{right}"
            )
        return declared
    if known is None:
        raise InputError(
            f"layers: the {count} tokens of {name} do not lie evenly over {size} px; set prefix_tokens, the "
            "number of class and register tokens before the image's, or choose another module"
        )
    return known


def to_maps(tokens, axis, before, image):
    """Tokens with their channels at `axis` → feature maps (b, N, H', W'), without a copy.

    Parameters
    ----------
    tokens : Tensor, shape (b, T, N), or (b, N, T) where `axis` is ``first``
    axis : {'first', 'last'}
    before : int
        Tokens in front, which are left out.
    image : (int, int)
        Height and width of the image in pixels.
    """
    tokens = tokens.movedim(1, -1) if axis == "first" else tokens
    tokens = tokens[:, before:]
    rows, columns = grid(tokens.shape[1], *image) or (tokens.shape[1], 1)
    return torch.unflatten(tokens, 1, (rows, columns)).movedim(-1, 1)
