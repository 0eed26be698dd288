"""Feature maps of chosen layers, read inside the forward pass; what a network's layers are."""

import contextlib
import io
from collections import Counter

import torch
from torch import nn

from texalign.errors import InputError

READOUTS = ("linear", "relu")

USED_SEVERAL_TIMES = (
    "layers: {} is used several times in one forward pass, so its output is ambiguous; "
    "choose a module that is used once"
)


class _Stop(Exception):  # noqa: N818 - it ends a forward pass, nothing went wrong
    """Raised inside a forward pass once the deepest asked layer was read."""


def read(network, batch, visit, readout="linear"):
    """Run a batch up to the deepest layer, and hand each layer's feature maps over when they appear.

    The maps are visited inside the forward pass: a ReLU that works in place has not yet touched
    them, no copy is made, and only one layer's maps need to live at a time. This makes the read-out
    the same for every architecture: `linear` is the module's own output, `relu` its positive part.
    Where gradients are recorded, the network goes on with a copy of what was read as it is, so that
    an in-place operation cannot spoil it; a positive part is a copy already.

    Parameters
    ----------
    network : Network
    batch : Tensor, shape (b, 3, H, W)
        Preprocessed images.
    visit : callable
        Called as ``visit(layer, maps)`` with the feature maps, shape (b, N, H', W'), in the order
        in which the network computes them.
    readout : {'linear', 'relu'}

    Raises
    ------
    InputError
        A layer's output is not 4-D, or a layer is used never or several times in a forward pass.
    """
    if readout not in READOUTS:
        raise InputError(f"readout: {readout!r} is not allowed; use one of {', '.join(READOUTS)}")
    waiting = dict(network.layers)

    def hook(layer, name):
        def read_layer(_module, _inputs, maps):
            _check_maps(layer, name, maps, waiting)
            del waiting[layer]
            visit(layer, torch.relu(maps) if readout == "relu" else maps)
            if not waiting:
                raise _Stop
            return maps.clone() if maps.requires_grad and readout == "linear" else None

        return read_layer

    with contextlib.ExitStack() as hooks:
        for layer, name in network.layers.items():
            handle = network.module.get_submodule(name).register_forward_hook(hook(layer, name))
            hooks.callback(handle.remove)
        with contextlib.suppress(_Stop):
            network.module(batch)
    if waiting:
        names = ", ".join(waiting.values())
        raise InputError(
            f"layers: {names} is never used in the network's forward pass; choose another module"
        )


def _check_maps(layer, name, maps, waiting):
    if layer not in waiting:
        raise InputError(USED_SEVERAL_TIMES.format(name))
    if not isinstance(maps, torch.Tensor) or maps.ndim != 4:
        shape = tuple(maps.shape) if isinstance(maps, torch.Tensor) else type(maps).__name__
        raise InputError(
            f"layers: the output of {name} is {shape}, not (batch, channels, height, width); "
            "choose a convolutional module: make layers MODEL=<key>"
        )


def feature_maps(network, batch, readout="linear"):
    """Feature maps of every layer, as a dict of tensors of shape (b, N, H', W').

    Parameters and errors are those of `read`; here all layers' maps live at once.
    """
    maps = {}

    def keep(layer, m):
        # Without gradients, `read` lends the network's own tensor, which an in-place ReLU may overwrite.
        maps[layer] = m.clone() if readout == "linear" and not m.requires_grad else m

    read(network, batch, keep, readout)
    return {layer: maps[layer] for layer in network.layers}


def layer_shapes(network, size):
    """Shape (N, H', W') of each layer's feature maps for an image of `size` pixels.

    Run before hours are spent: it finds every fault that `read` can find, and, with one forward
    pass to the network's end, a layer that is used again after `read` has stopped.
    """
    shapes = {}
    image = network.preprocess(torch.full((1, 3, size, size), 0.5))
    with torch.no_grad():
        read(network, image, lambda layer, maps: shapes.update({layer: tuple(maps.shape[1:])}))
        _check_used_once(network, image)
    return {layer: shapes[layer] for layer in network.layers}


def _check_used_once(network, batch):
    calls = Counter()
    with contextlib.ExitStack() as hooks, contextlib.redirect_stdout(io.StringIO()):  # some networks print
        for name in set(network.layers.values()):
            note = network.module.get_submodule(name).register_forward_hook(
                lambda *_, name=name: calls.update([name])
            )
            hooks.callback(note.remove)
        with contextlib.suppress(Exception):  # what lies behind the layers may not take images of this size
            network.module(batch)
    for name, count in calls.items():
        if count > 1:
            raise InputError(USED_SEVERAL_TIMES.format(name))


def list_modules(network, size):
    """Every module that gives feature maps, in the order of the forward pass.

    Returns
    -------
    list of dict
        module, type, channels N, height, width, positions M, depth (share of the convolutions done,
        0..1), gram_values N(N+1)/2, calls in one forward pass (a layer must have 1).
    """
    rows, convolutions = {}, [0]

    def hook(name):
        def note(module, _inputs, maps):
            convolutions[0] += isinstance(module, nn.Conv2d)
            if not isinstance(maps, torch.Tensor) or maps.ndim != 4:
                return
            if name in rows:
                rows[name]["calls"] += 1
                return
            n, h, w = maps.shape[1:]
            rows[name] = {
                "module": name,
                "type": type(module).__name__,
                "channels": n,
                "height": h,
                "width": w,
                "positions": h * w,
                "depth": convolutions[0],
                "gram_values": n * (n + 1) // 2,
                "calls": 1,
            }

        return note

    with contextlib.ExitStack() as hooks, torch.no_grad():
        for name, module in network.module.named_modules():
            if name:
                hooks.callback(module.register_forward_hook(hook(name)).remove)
        network.module(network.preprocess(torch.full((1, 3, size, size), 0.5)))
    total = max(convolutions[0], 1)
    return [row | {"depth": round(row["depth"] / total, 3)} for row in rows.values()]


def largest_difference(network, other, size):
    """Largest difference of two networks' read-outs of one random image, relative to the largest value."""
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = feature_maps(network, network.preprocess(image))
        theirs = feature_maps(other, other.preprocess(image))
    return max(float((ours[k] - theirs[k]).abs().max() / ours[k].abs().max().clamp_min(1e-30)) for k in ours)
