"""A row of the model table → an evaluation-mode network, its preprocessing, its read-out layers."""

import copy
import difflib
import logging
import platform
from dataclasses import dataclass, field, replace
from unittest import mock

import torch
from torch import nn

from texalign import builders, channels, depth, download, job, preprocessing, readout, sources, states
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
    prefix_tokens : int, optional
        Tokens before those of the image, where they cannot be found.
    axes, prefixes : dict of str to str, of str to int
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
    prefix_tokens: int | None = None
    axes: dict = field(default_factory=dict, compare=False, repr=False)
    prefixes: dict = field(default_factory=dict, compare=False, repr=False)

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
        `weights_file`; ``layers``: the modules to read, or how many at even depth (see
        `texalign.depth.chosen`); and optionally ``options`` (arguments of the builder), ``sha256``,
        ``seed``, ``preprocess`` (mean and std, instead of what the weights say), ``channels`` (``first`` or
        ``last``) and ``prefix_tokens`` (class and register tokens) where they cannot be found,
        ``state_key`` and ``strip_prefix`` (see `texalign.states.load_state`).
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
        path = sources.weights_path(source, weights_file)
        sha256 = download.check(path, **sources.expected_hash(entry))
    published = sources.published_weights(entry, sha256) if path else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = (
            builders.build(architecture, options) if published is None else build_for(published, entry, path)
        )
    if path and published is None:
        module = loaded(module, entry, path)
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
        layers=name_layers(module, depth.chosen(module, entry["layers"])),
        mean=taken.mean,
        std=taken.std,
        preprocessing=str(taken),
        channels=entry.get("channels"),
        prefix_tokens=entry.get("prefix_tokens"),
        weights=source,
        weights_sha256=sha256,
        device=device,
        architecture=builders.described(architecture, options),
    )


def loaded(module, entry, path):
    """Load a file's weights into a network; where they do not fit one of timm's, as timm converts them.

    timm's own files have the names of older versions, or positions for images of another size.

    Returns
    -------
    nn.Module
        The network, or timm's with the converted weights.
    """
    options = entry.get("options") or {}
    asked = {"state_key", "strip_prefix"} & entry.keys() or "num_classes" in options
    try:
        load_state(module, path, entry.get("state_key"), entry.get("strip_prefix"))
        return module
    except InputError:
        if not entry["architecture"].startswith("timm/") or asked:
            raise
        state = states.state_dicts(states.read(path)).get("")
        converted = state and builders.converted_by_timm(entry["architecture"], options, state)
        if not converted:
            raise
    log.info("%s: converted by timm, as it does for its own weights", path)
    states.check_types(converted, state, path)
    return converted


def taken(network, maps, size):
    """Change a network as the choice of its maps says, before anything is read from it.

    Parameters
    ----------
    network : Network
    maps : mapping
        ``normalisation``, see `normalised`; ``bn_warmup``, a seed for `warmed_up`, or None.
    size : int
        Pixels of an image's side.

    Returns
    -------
    Network
    """
    network = normalised(network, maps["normalisation"])
    return network if maps["bn_warmup"] is None else warmed_up(network, maps["bn_warmup"], size)


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
    known = getattr(sources.torchvision_weights(entry["architecture"]), "DEFAULT", None)
    if known is None:
        return preprocessing.Preprocessing()
    return preprocessing.of_torchvision(known, f"as {known} of this architecture say")._replace(size="")


def load_for(snakemake, entry=None):
    """Load the network of a rule's job: parameter ``entry``, input ``weights``, where it is to run."""
    files = snakemake.input.get("weights") or None
    # Beside locked weights stands their hash.
    file = files if files is None or isinstance(files, str) else files[0]
    return load(entry or snakemake.params.entry, file, device=job.device(snakemake))


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


def build_for(published, entry, path):
    """Build a network as torchvision does for its published weights, with those of a file.

    Some builders make another network with weights than without: `googlenet` and `inception_v3` convert
    their input, `vit_b_16` takes the size of the weights' images.
    """
    state = states.read(path)
    # Of the first weights, which are overwritten.
    options = {key: value for key, value in (entry.get("options") or {}).items() if key != "init_weights"}
    builder = builders.torchvision_models().get_model_builder(entry["architecture"])
    with mock.patch.object(type(published), "get_state_dict", return_value=dict(state)):
        try:
            module = builders.called(builder, entry["architecture"], {"weights": published} | options)
        except RuntimeError as error:
            detail = " ".join(str(error).split())[:300]
            raise InputError(f"{path}: the weights do not fit the architecture: {detail}") from error
    states.check_types(module, state, path)
    return module


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
