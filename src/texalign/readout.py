"""Feature maps of chosen layers, read inside the forward pass; what a network's layers are."""

import contextlib
import copy
import logging
from dataclasses import replace

import torch

from texalign import channels, depth, tokens, trial
from texalign.errors import InputError

log = logging.getLogger(__name__)

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
    Maps that a network holds as (b, H', W', N) are handed over with their channels in front, and so are
    tokens (b, T, N), which are places in a grid, without a class token and registers.
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
        A layer's output is neither 4-D nor tokens, which of its axes is the channels cannot be told, its
        tokens are not those of the image, or a layer is used never or several times in a forward pass.
    """
    if readout not in READOUTS:
        raise InputError(f"readout: {readout!r} is not allowed; use one of {', '.join(READOUTS)}")
    find_axes(network, batch[:1])
    waiting = dict(network.layers)

    def hook(layer, name):
        def read_layer(_module, _inputs, maps):
            _check_maps(network, layer, maps, waiting, len(batch))
            del waiting[layer]
            ours = channels.to_front(maps, network.axes[name], batch.shape[2:], network.prefixes.get(name, 0))
            visit(layer, torch.relu(ours) if readout == "relu" else ours)
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


def _check_maps(network, layer, maps, waiting, count):
    name = network.layers[layer]
    if layer not in waiting:
        raise InputError(USED_SEVERAL_TIMES.format(name))
    if not isinstance(maps, torch.Tensor) or maps.ndim not in (3, 4):
        shape = tuple(maps.shape) if isinstance(maps, torch.Tensor) else type(maps).__name__
        raise InputError(
            f"layers: the output of {name} is {shape}, neither (batch, channels, height, width) nor tokens "
            "(batch, tokens, channels); choose a module of feature maps: make layers MODEL=<key>"
        )
    if len(maps) != count:
        raise InputError(
            f"layers: the output of {name} is {tuple(maps.shape)} for {count} images, not one row an image; "
            "choose the module around it, where it is of windows or has its tokens in front"
        )
    if not maps.is_floating_point():
        raise InputError(
            f"layers: the output of {name} is {maps.dtype}, no real numbers; choose another module"
        )
    if name not in network.axes:
        raise InputError(
            f"layers: the output of {name} is {tuple(maps.shape)}, and no image of another size shows which "
            "axis is the channels; set channels: first or last in the network's entry"
        )


def find_axes(network, image):
    """Find which axis of each layer's output is the channels, once, and keep it in ``network.axes``.

    Torch's own modules are known. Of any other the network is run on an image of another size, as the
    channels are what keeps its length. Where it takes one size only, other modules' outputs tell, or else
    the table. Of tokens, ``network.prefixes`` keeps how many are no places of the image: those that begin
    the same for every image, see `texalign.tokens`.

    Parameters
    ----------
    network : Network
    image : Tensor, shape (1, 3, H, W)
        Only its shape, type and device count.

    Raises
    ------
    InputError
        Tokens are not those of the image, or not so many as is declared.
    """
    unknown = [name for name in network.layers.values() if name not in network.axes]
    if not unknown:
        return
    found = {name: channels.by_definition(network.module.get_submodule(name)) for name in unknown}
    asked = [name for name in unknown if found[name] != "first"]
    shapes, known = _shapes(network, asked, image) if asked else ({}, set())
    for size in (channels.another_size, channels.twice):
        open_ = [name for name in asked if len(shapes.get(name, ())) in (2, 3) and not found[name]]
        others = _shapes(network, open_, _of_another_size(image, size))[0] if open_ else {}
        found |= {name: channels.by_behaviour(shapes[name], shape) for name, shape in others.items()}
    declared, axes = network.channels, {}
    for name, axis in found.items():
        axis = axis or (channels.by_others(shapes[name], known) if name in shapes else None)
        if axis and declared not in (None, axis):
            log.warning(
                "channels: %s is declared, but those of %s are %s, and so they are read", declared, name, axis
            )
        axes |= {name: axis or declared} if axis or declared else {}
    of_tokens = {name: shapes[name] for name in axes if len(shapes.get(name, ())) == 2}
    network.prefixes.update(_prefixes(network, image, axes, of_tokens))
    network.axes.update(axes)


def _prefixes(network, image, axes, shapes):
    """Find how many tokens of some modules' outputs are no places of the image."""
    turned = {name: shape if axes[name] == "last" else shape[::-1] for name, shape in shapes.items()}
    begin = {}
    if turned and image.device.type != "meta":
        noise = torch.rand(2, *image.shape[1:], generator=torch.Generator().manual_seed(0))
        begin = tokens.constant(network.module, noise.to(image), set(turned.values()))
    return {
        name: tokens.prefix(
            shape[0],
            tuple(image.shape[2:]),
            name,
            declared=network.prefix_tokens,
            found=begin.get(shape),
            said=tokens.claimed(network.module, name),
        )
        for name, shape in turned.items()
    }


def attributes(network):
    """Collect what is known of each module that was read, for the attributes of a file.

    Returns
    -------
    dict of str to dict
        Module to ``channel_axis``, ``prefix_tokens`` (of tokens) and ``depth`` (see `texalign.depth.of`).
    """
    depths = depth.of(network.module, network.axes)
    prefixes = {name: {"prefix_tokens": count} for name, count in network.prefixes.items()}
    return {
        name: {"channel_axis": axis, "depth": depths[name]} | prefixes.get(name, {})
        for name, axis in network.axes.items()
    }


def _of_another_size(image, another):
    """Noise like an image of the size that ``another(pixels)`` gives for the height and the width."""
    height, width = map(another, image.shape[2:])
    noise = torch.rand(1, image.shape[1], height, width, generator=torch.Generator().manual_seed(0))
    return noise.to(image)


def _shapes(network, names, image):
    """Shapes of some modules' outputs, and of those that `channels.seen` knows, as far as a pass gets."""
    shapes, known = {}, set()

    def note(name, part, output):
        if name in names and isinstance(output, torch.Tensor):
            shapes[name] = tuple(output.shape[1:])
        if isinstance(output, torch.Tensor) and len(output) == len(image):
            known.update(channels.seen(part, output.shape[1:]))

    with trial.hooked(network.module, after=note):
        trial.run(network.module, image.detach())  # it may not take images of this size
    return shapes, known


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


def twin(network):
    """Return the same network as modules of their own, which share every parameter and buffer."""
    shared = [*network.module.parameters(), *network.module.buffers()]
    return replace(network, module=copy.deepcopy(network.module, {id(tensor): tensor for tensor in shared}))


def trial_image(network, size, seed=0, dtype=None):
    """Noise as the network takes it, shape (1, 3, H, W): for odd seeds all black or white."""
    height, width = (size, size) if isinstance(size, int) else size
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    image = network.preprocess((noise > 0.7).float() if seed % 2 else noise)
    return image.to(dtype or image.dtype)


def layer_shapes(network, size, dtype=None):
    """Shape (N, H', W') of each layer's feature maps for an image of `size` pixels.

    Run before hours are spent, it finds every fault that `read` can find, and whether the maps are a
    function of one image: noise goes through the network alone, once more to the network's end (a
    layer may be used again after `read` has stopped), and in a batch.

    Parameters
    ----------
    network : Network
    size : int or (int, int)
        Pixels of an image's side, or height and width.
    dtype : torch.dtype, optional
        Of the input, where it is not the network's.

    Raises
    ------
    InputError
        A fault of `read`; the network cannot take such images; the maps of an image depend on chance or
        on the batch, or may, as random numbers are drawn; the network resizes every image.
    """
    image = trial_image(network, size, 0, dtype)
    with trial.quietly():
        _check_size(network, image)
        alone = _maps_or_refusal(network, image)
        if network.device.type != "meta":
            _check_same(network, alone, _to_the_end(network, image), image, "from one pass to the next")
            batch = torch.cat([trial_image(network, size, 1, dtype), image])
            before = trial.generators()
            maps = _maps_or_refusal(network, batch)
            drawn = trial.generators() != before
            _check_same(network, alone, maps, batch, "with the other images of its batch")
            if drawn:  # what is seldom dropped does not differ from pass to pass in a trial
                where = trial.first_draw(network.module, image)
                raise InputError(
                    f"layers: the network draws random numbers, in {where}; in evaluation mode its feature "
                    "maps have to be a function of one image"
                )
    return {layer: tuple(maps.shape[1:]) for layer, maps in alone.items()}


def _maps_or_refusal(network, images):
    """`feature_maps`, with one line where the network cannot take the images."""
    try:
        return feature_maps(network, images.clone())
    except (InputError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise cannot_take(network, images, error) from error


def cannot_take(network, images, error, key="image: size"):
    """Word what a network says to images that it cannot take, and what it can take instead.

    Parameters
    ----------
    network : Network
    images : Tensor, shape (b, 3, H, W)
    error : Exception
    key : str
        Where an image's size is set.

    Returns
    -------
    InputError
    """
    count, _, height, width = images.shape
    what = f"{height}x{width} px" + (f" in a batch of {count}, though one image alone" if count > 1 else "")
    reason = (str(error).splitlines() or [""])[0][:200] or "no reason given"
    where = trial.failing_module(network.module, images)
    advice = "have its forward take batches"
    if count == 1:
        advice = trial.advice(
            network.module, images, lambda other: read(network, other, lambda *_: None), key
        )
    return InputError(
        f"{key.split(':')[0]}: the network cannot take {what} ({type(error).__name__}: {reason}"
        f"{', in ' + where if where else ''}); {advice}"
    )


def _check_same(network, alone, maps, images, when):
    """Refuse maps of an image, the last one of a pass, that are not those of the image alone."""
    for layer, ours in alone.items():
        name, theirs = network.layers[layer], maps.get(layer)
        if theirs is None:
            continue
        if not ours.isfinite().all():
            raise InputError(f"layers: {layer} ({name}) is not finite for noise; are the weights sound?")
        same = theirs.shape[1:] == ours.shape[1:]
        error = trial.difference(ours, theirs[-1:]) if same else float("inf")
        if not error <= trial.tolerance(ours):
            fault = trial.first_difference(network.module, images[-1:], images) or "a module"
            raise InputError(
                f"layers: the feature maps of one image change {when}, by {100 * error:.2g} % in {layer} "
                f"({name}), because of {fault}; in evaluation mode they have to be a function of one image"
            )


def _to_the_end(network, image):
    """Read a copy of the network, such as the feature pass takes, in a pass to its end."""
    other, maps, calls = twin(network), {}, []

    def note(layer, name):
        def hook(_module, _inputs, output):
            calls.append(layer)
            prefix = network.prefixes.get(name, 0)
            maps[layer] = channels.to_front(output.clone(), network.axes[name], image.shape[2:], prefix)

        return hook

    failed = True
    with contextlib.ExitStack() as hooks:
        for layer, name in network.layers.items():
            hooks.callback(other.module.get_submodule(name).register_forward_hook(note(layer, name)).remove)
        with contextlib.suppress(Exception):  # what lies behind the layers may not take images of this size
            other.module(image.clone())
            failed = False
    for layer, name in network.layers.items():
        if calls.count(layer) > 1:
            raise InputError(USED_SEVERAL_TIMES.format(name))
        if layer not in calls and not failed:
            raise InputError(
                f"layers: {name} is used by the network but not by a copy of it: its forward holds a module "
                "in a closure or a global; make that an attribute of the network"
            )
    return maps


def _check_size(network, image):
    """Refuse a network that resizes every image to a size of its own, which is not that of the image."""
    shape, before = trial.first_input(network.module, image)
    if shape is None or shape[2:] == image.shape[2:]:
        return
    other, _ = trial.first_input(network.module, _of_another_size(image, channels.another_size))
    if other and other[2:] == shape[2:]:
        own, ours = ("x".join(map(str, sides)) for sides in (shape[2:], image.shape[2:]))
        raise InputError(
            f"layers: the network resizes every image to {own} px, because of {before}; "
            f"set image: size to that, or give the builder options that keep {ours} px"
        )


def list_modules(network, size):
    """Every module that gives feature maps or tokens, in the order of the forward pass.

    Returns
    -------
    list of dict
        module, type, axis of the channels (first, last; ``?`` where one has to declare it), channels N,
        height, width, positions M, prefix (tokens that are left out), depth (share of the layers with
        weights that are done, 0..1), gram_values N(N+1)/2, calls in one forward pass (a layer must have 1).

    Raises
    ------
    InputError
        The network cannot take an image of this size.
    """
    image = network.preprocess(torch.full((1, 3, size, size), 0.5))
    try:
        rows, known = _listed(network.module, image)
    except Exception as error:
        raise cannot_take(replace(network, layers={}), image, error) from error
    others = {}
    with contextlib.suppress(Exception):  # it may take one size only
        others, _ = _listed(network.module, _of_another_size(image, channels.another_size))
    return [_with_axis(network, row, others.get(name), known, image) for name, row in rows.items()]


def _listed(module, image):
    """List what gives maps or tokens: module, type, shape without the batch, depth, calls; norms' shapes."""
    rows, known, done = {}, set(), [0]

    def note(name, part, maps):
        done[0] += depth.has_matrix(part)
        if not name or not isinstance(maps, torch.Tensor) or maps.ndim not in (3, 4) or len(maps) != 1:
            return
        known.update(channels.seen(part, maps.shape[1:]))
        row = {"module": name, "type": type(part).__name__, "shape": tuple(maps.shape[1:])}
        rows.setdefault(name, row | {"depth": done[0], "calls": 0})["calls"] += 1

    with trial.quietly(), trial.hooked(module, after=note):
        module(image)
    total = max([1, *(row["depth"] for row in rows.values())])
    return {name: row | {"depth": round(row["depth"] / total, 3)} for name, row in rows.items()}, known


def _with_axis(network, row, other, known, image):
    """Make a row of `list_modules` from those of two image sizes."""
    shape, sides = row["shape"], tuple(image.shape[2:])
    axis = channels.by_definition(network.module.get_submodule(row["module"]))
    axis = (other and channels.by_behaviour(shape, other["shape"])) or axis
    axis = axis or channels.by_others(shape, known) or network.channels
    n, *places = shape if axis != "last" else shape[-1:] + shape[:-1]
    prefix = 0
    if len(places) == 1:  # tokens; those that do not lie evenly over the image are shown as they are
        said = network.prefix_tokens or tokens.claimed(network.module, row["module"]) or 0
        prefix = next((p for p in (said, 0) if p < places[0] and tokens.grid(places[0] - p, *sides)), 0)
        places = tokens.grid(places[0] - prefix, *sides) or (places[0], 1)
    height, width = places
    return {
        **{"module": row["module"], "type": row["type"], "axis": axis or "?", "channels": n},
        **{"height": height, "width": width, "positions": height * width, "prefix": prefix},
        **{"depth": row["depth"], "gram_values": n * (n + 1) // 2, "calls": row["calls"]},
    }


def largest_difference(network, other, size):
    """Largest difference of two networks' read-outs of one random image, relative to the largest value."""
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = feature_maps(network, network.preprocess(image))
        theirs = feature_maps(other, other.preprocess(image))
    return max(float((ours[k] - theirs[k]).abs().max() / ours[k].abs().max().clamp_min(1e-30)) for k in ours)
