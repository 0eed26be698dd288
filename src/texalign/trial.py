"""Which module is at fault, where a network cannot take an image or is no function of one image."""

import contextlib
import io
import random

import numpy as np
import torch
from torch import nn

from texalign.errors import InputError

#: Relative differences of a network's maps of one image that rounding may make. On a CPU it makes about
#: 1e-6, in whatever batch; a GPU takes other algorithms for other batches, in TF32 where torch allows it.
ROUNDING, ON_GPU, IN_HALF = 1e-4, 1e-2, 5e-2

#: Sides of images that a network is tried with once it has failed.
SIZES = (32, 64, 96, 128, 160, 192, 224, 240, 256, 299, 320, 384, 448, 512)


class _Found(Exception):  # noqa: N818 - it ends a forward pass, nothing went wrong
    """Raised inside a forward pass once what was looked for is known."""


@contextlib.contextmanager
def quietly():
    """Run a pass without gradients, and without what some networks print."""
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def hooked(module, before=None, after=None):
    """Call ``before(name, module, inputs)`` and ``after(name, module, output)`` around every module."""
    with contextlib.ExitStack() as hooks:
        for name, part in module.named_modules():
            if before:
                hook = part.register_forward_pre_hook(
                    lambda m, args, kwargs, name=name: before(name, m, (*args, *kwargs.values())),
                    with_kwargs=True,
                )
                hooks.callback(hook.remove)
            if after:
                hook = part.register_forward_hook(lambda m, _inputs, out, name=name: after(name, m, out))
                hooks.callback(hook.remove)
        yield


def described(name, module):
    """``f.1 (BatchNorm2d)``; the network itself has no name of its own."""
    return f"module {name} ({type(module).__name__})" if name else f"{type(module).__name__}'s own forward"


def difference(maps, others):
    """Largest difference of two tensors of one shape, relative to the largest value."""
    return float((maps - others).abs().max() / maps.abs().max().clamp_min(1e-30))


def tolerance(maps):
    """Say what rounding may change in maps, relative to their largest value."""
    if maps.dtype in (torch.bfloat16, torch.float16):
        return IN_HALF
    return ROUNDING if maps.device.type == "cpu" else ON_GPU


def tensors(value):
    """All tensors in nested lists, tuples and mappings, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in tensors(part)]


def first_difference(module, first, second):
    """Name the innermost module whose output for an image differs between two passes, and its input does not.

    Parameters
    ----------
    module : nn.Module
    first, second : Tensor, shape (b, 3, H, W)
        Two batches, the last image of which is the same.

    Returns
    -------
    str or None
        With a hint where one is known; None where the passes agree.
    """
    passes = [_recorded(module, batch) for batch in (first, second)]
    for (name, inputs, outputs), (other, inputs2, outputs2) in zip(*passes, strict=False):
        if name != other:
            break
        if _same(inputs, inputs2) and not _same(outputs, outputs2):
            part = module.get_submodule(name)
            return described(name, part) + _hint(part)
    return None


def _recorded(module, batch):
    """Each call of a module, in the order in which they end, with the last image's inputs and outputs."""
    calls, open_calls = [], []

    def last_image(value):
        return [
            t[-(len(t) // len(batch)) :].clone() if t.ndim and len(t) >= len(batch) else t.clone()
            for t in tensors(value)
        ]

    with hooked(
        module,
        before=lambda _name, _module, inputs: open_calls.append(last_image(inputs)),
        after=lambda name, _module, output: calls.append((name, open_calls.pop(), last_image(output))),
    ):
        run(module, batch)
    return calls


def _same(ours, theirs):
    def close(a, b):
        if a.shape != b.shape or not a.is_floating_point():
            return a.shape == b.shape and torch.equal(a, b)
        return a.numel() == 0 or difference(a, b) <= tolerance(a)

    return len(ours) == len(theirs) and all(map(close, ours, theirs))


def _hint(module):
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
        return ", which has no running statistics: build it with track_running_stats=True"
    if any(part.training for part in module.modules()):
        return ", which is in training mode: have its forward leave that as it is"
    return ""


def generators():
    """Say where the generators of random numbers stand that a forward pass may draw from.

    Returns
    -------
    list
        Comparable; equal as long as nothing is drawn.
    """
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - what others draw from
    states = [torch.get_rng_state().numpy().tobytes(), random.getstate(), (name, keys.tobytes(), *rest)]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states.append(torch.cuda.get_rng_state().numpy().tobytes())
    return states


def first_draw(module, image):
    """Name the innermost module that draws random numbers in a pass; the network itself where none does."""
    open_calls, found = [], []

    def leave(name, part, _output):
        if generators() != open_calls.pop():
            found.append(described(name, part) + _hint(part))

    with hooked(module, lambda *_: open_calls.append(generators()), leave):
        run(module, image)
    return (found or [described("", module)])[0]


def first_input(module, image):
    """Shape of what reaches the first module with weights of its own, and who handed it over.

    Returns
    -------
    shape : tuple of int, or None
        (b, C, H, W); None where no such module takes a 4-D tensor.
    before : str
        The last module that was done by then, or the network's own forward.
    """
    found, done = [], [described("", module)]

    def note(_name, part, inputs):
        own = next(part.parameters(recurse=False), None) is not None or hasattr(part, "parametrizations")
        images = [t for t in tensors(inputs) if t.ndim == 4]
        if own and images:
            found.append((tuple(images[0].shape), done[-1]))
            raise _Found

    with hooked(module, note, lambda name, part, _out: done.append(described(name, part))):
        run(module, image)
    return found[0] if found else (None, done[0])


def run(module, images):
    """Run a network as far as it goes."""
    with quietly(), contextlib.suppress(Exception):
        module(images.clone())


def failing_module(module, image):
    """Describe the innermost module that was entered and not left when a pass failed."""
    entered, fault = [], []

    def leave(*_):
        entered.pop()

    with hooked(module, lambda name, part, _in: entered.append(described(name, part)), leave):
        try:
            with quietly():
                module(image.clone())
        except Exception:
            fault = entered[-1:]
    return fault[0] if fault else ""


def advice(module, image, read, key):
    """Say what a network that failed on an image can take instead.

    Parameters
    ----------
    module : nn.Module
    image : Tensor, shape (1, 3, H, W)
        What it failed on.
    read : callable
        ``read(image)`` runs the network as far as is needed.
    key : str
        Where an image's size is set.
    """

    def works(other, run=read):
        try:
            with quietly():
                run(other)
        except InputError:  # it is the choice of layers that is at fault then
            return True
        except Exception:
            return False
        return True

    types = {p.dtype for p in module.parameters() if p.is_floating_point()} - {image.dtype}
    if types:
        kind = str(next(iter(types))).removeprefix("torch.")
        return f"its weights are {kind}, images are float32: have the builder return it with .float()"
    if works(image[:, :1]):
        return "it takes images of 1 channel: wrap it in a module that makes one of the three, as by mean(1)"
    if works(image[:, :, None].repeat(1, 1, 16, 1, 1), module):
        return "it takes videos, 5-D, not images: choose a network of images"
    others = [size for size in SIZES if size not in image.shape[2:]]
    taken = [str(s) for s in others if works(torch.zeros_like(image[:, :, :1, :1]).repeat(1, 1, s, s))]
    if len(taken) == 1:
        return f"it takes {taken[0]} px only: set {key}: {taken[0]}"
    larger = [size for size in taken if int(size) > max(image.shape[2:])]
    if taken and len(taken) == len(larger):
        return f"use a larger image ({key}: {larger[0]} works), or drop the deepest layers"
    if taken:
        return f"set {key} to one that it takes, as {', '.join(taken)}"
    return "use a larger image, or try it by itself in Python"
