"""Where in a network a module stands: its relative depth; and blocks at even depth.

A block is a module that all of the computation goes through: no path from the image to the output leads
around it, as a shortcut or a second branch does. Autograd's graph of one pass tells which these are.
"""

import collections
import contextlib
import copy
import io
import logging
from typing import NamedTuple

import torch
from torch import nn

from texalign import compiler, trial
from texalign.errors import InputError

log = logging.getLogger(__name__)

#: Sides of images that are tried, in pixels: the choice does not hang on a study's own.
SIZES = (224, *trial.SIZES)

#: Up to so many weights a network is run as it is: to run it without numbers, torch loads what takes longer.
SMALL = 100_000_000


class Block(NamedTuple):
    """A module that all of the computation goes through.

    Attributes
    ----------
    name : str
    depth : float
        Share of the layers with weights that are done by its end, 0 to 1.
    """

    name: str
    depth: float


class _Output(NamedTuple):
    """What a module gave: autograd's node, the shape without the batch, the layers with weights done."""

    node: object
    shape: tuple
    done: int


def chosen(module, layers):
    """Modules to read: those that are named, or blocks at even relative depth.

    Parameters
    ----------
    module : nn.Module
    layers : list of str, or dict
        Names; or ``count``, of blocks at even depth from the first to the last; or ``depth``, a list of
        relative depths in [0, 1], ascending.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        The network has fewer blocks, or they cannot be told.
    """
    if not isinstance(layers, dict):
        return list(layers)
    wanted = layers.get("depth") or [i / (layers["count"] - 1) for i in range(layers["count"])]
    found = blocks(module)
    if len(found) < len(wanted):
        names = ", ".join(block.name for block in found) or "none"
        raise InputError(
            f"layers: {len(wanted)} layers are wanted, and the network has {len(found)} blocks ({names}); "
            "name modules instead: make layers MODEL=<key>"
        )
    names = [found[i].name for i in _nearest([block.depth for block in found], wanted)]
    log.info("layers by depth: %s", ", ".join(f"{b.name} ({b.depth:.2f})" for b in found if b.name in names))
    return names


def of(module, names):
    """Relative depth of modules, as of blocks; NaN where it cannot be told.

    Returns
    -------
    dict of str to float
    """
    outputs, narrow = _traced(module)
    last = max((block.depth for block in _blocks(module, outputs, narrow)), default=0)
    known = {name: outputs[name].done / last for name in names if last and outputs.get(name)}
    return {name: min(round(known.get(name, float("nan")), 3), 1) for name in names}


def blocks(module):
    """All blocks of a network that give feature maps or tokens, from the first to the last.

    Of blocks that end at the same depth one is kept, rather one of several modules than a single one,
    and rather a norm than the convolution before it.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode. A large one is run without numbers where that is possible.

    Returns
    -------
    list of Block
    """
    outputs, narrow = _traced(module)
    best = {}
    for block in _blocks(module, outputs, narrow):
        part = module.get_submodule(block.name)
        composite = any(has_matrix(inner) for inner in part.modules() if inner is not part)
        before = best.get(block.depth)
        if before is None or composite >= before[0]:
            best[block.depth] = composite, block.name
    last = max(best, default=1)
    return [Block(best[depth][1], round(depth / last, 3)) for depth in sorted(best)]


def _blocks(module, outputs, narrow):
    """Blocks in the order of the modules, their depth as a number of layers."""
    through = {name for name, out in outputs.items() if out and out.node in narrow}
    hiding = {
        type(part)
        for name, part in module.named_modules()
        if not _is_container(part, name, outputs)
        and any(outputs.get(child) and child not in through for child in _called(name, part, outputs))
    }

    def visit(name, part):
        children = [(f"{name}.{key}".lstrip("."), child) for key, child in part.named_children()]
        if name and not _is_container(part, name, outputs) and (not children or type(part) in hiding):
            out = outputs.get(name)
            if name in through and _is_map(out.shape) and any(True for _ in part.parameters()):
                yield Block(name, out.done)
            return
        for child in children:
            yield from visit(*child)

    return list(visit("", module))


def _is_container(part, name, outputs):
    """Tell whether a module does nothing but call its parts one after the other, or is not called itself."""
    return name not in outputs or type(part).forward is nn.Sequential.forward


def _called(name, part, outputs):
    """Names of the parts that a module calls itself, within containers too."""
    for key, child in part.named_children():
        inner = f"{name}.{key}".lstrip(".")
        if _is_container(child, inner, outputs):
            yield from _called(inner, child, outputs)
        else:
            yield inner


def _is_map(shape):
    """Tell whether an output, without its batch, is maps or tokens of more than one place."""
    return (len(shape) == 3 and shape[1] * shape[2] > 1 and shape[0] * shape[1] > 1) or (
        len(shape) == 2 and shape[0] > 1
    )


def _nearest(depths, wanted):
    """Positions of as many different depths as are wanted, ascending, with the smallest sum of distances."""
    rows = [[(0.0, [])] * (len(depths) + 1)]
    for target in wanted:
        row = [(float("inf"), [])]
        for i, depth in enumerate(depths):
            cost, taken = rows[-1][i]
            with_it = cost + abs(depth - target), [*taken, i]
            row.append(with_it if with_it[0] < row[-1][0] - 1e-9 else row[-1])
        rows.append(row)
    return rows[-1][-1][1]


# ------------------------------------------------------------------ one pass, and its graph


def _traced(module):
    """Trace a pass: what each module gave, None if not once, and the nodes that every path goes through."""
    large = sum(p.numel() for p in module.parameters()) > SMALL
    for numbers in (False, True) if large else (True, False):
        part = _copied(module, numbers)
        device = next((p.device for p in part.parameters()), torch.device("cpu"))
        for size in SIZES:
            with (
                contextlib.suppress(Exception),
                contextlib.redirect_stdout(io.StringIO()),
                compiler.left_out(),
            ):
                return _pass(part, torch.zeros(1, 3, size, size, device=device))
    return {}, set()


def _copied(module, numbers):
    """Copy a network, with its own weights or on the meta device: shapes, and no memory nor time."""
    made = torch.Tensor.detach if numbers else lambda tensor: tensor.to("meta")
    memory = {id(p): nn.Parameter(made(p), requires_grad=False) for p in module.parameters()}
    memory |= {id(b): made(b) for b in module.buffers()}
    return copy.deepcopy(module, memory)


def _pass(module, image):
    outputs, calls, done = {}, collections.Counter(), [0]

    def note(name, part, output):
        done[0] += has_matrix(part)
        calls[name] += 1
        outputs[name] = None
        if isinstance(output, torch.Tensor) and output.grad_fn is not None and len(output) == 1:
            outputs[name] = _Output(output.grad_fn, tuple(output.shape[1:]), done[0])

    with torch.enable_grad(), trial.hooked(module, after=note):
        ends = trial.tensors(module(image.requires_grad_()))
    once = {name: out if calls[name] == 1 else None for name, out in outputs.items()}
    graphs = [_narrow(end.grad_fn) for end in ends if end.grad_fn is not None]
    return once, max(graphs, key=lambda found: found[1])[0]


def has_matrix(part):
    """Tell whether a module itself has weights that mix channels, as a convolution or a linear map has."""
    own = part.named_parameters(recurse=False)
    return hasattr(part, "parametrizations") or any("weight" in name and p.ndim > 1 for name, p in own)


def _narrow(end):
    """Nodes of autograd's graph that every path from the input to an end goes through; and how many are all.

    In an order in which each node stands before those that it was made from, a node is such a one where
    all edges from before it to behind it, or to itself, end in it.
    """
    below, entering, waiting = {}, collections.Counter(), [end]
    while waiting:
        node = waiting.pop()
        if node not in below:
            below[node] = [other for other, _ in node.next_functions if other is not None]
            entering.update(below[node])
            waiting += below[node]
    found, ready, left, open_edges = set(), [end], dict(entering), 0
    while ready:
        node = ready.pop()
        if open_edges == entering[node]:
            found.add(node)
        open_edges += len(below[node]) - entering[node]
        for other in below[node]:
            left[other] -= 1
            if not left[other]:
                ready.append(other)
    return found, len(below)
