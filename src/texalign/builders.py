"""A name in the model table → a network without weights, from torchvision, timm or a program of one's own."""

import difflib
import functools
import importlib
import importlib.util
import inspect
import logging
import re
from pathlib import Path

import torch
from torch import nn

from texalign import compiler
from texalign.errors import InputError

log = logging.getLogger(__name__)


def described(architecture, options):
    """Write an architecture with its options as text: ``name(key=value)``."""
    chosen = ", ".join(f"{key}={options[key]!r}" for key in sorted(options))
    return f"{architecture}({chosen})" if chosen else architecture


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
        return called(import_callable(architecture), architecture, options)
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
        return called(timm.create_model, architecture, {"model_name": name, "pretrained": False} | options)
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
    return called(builder, architecture, alone | options)


def called(builder, architecture, options):
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


def converted_by_timm(architecture, options, state):
    """Build one of timm's networks with a state dict that timm itself brings into form; None where it cannot.

    Parameters
    ----------
    architecture : str
        ``timm/<name>``.
    options : dict
    state : dict of str to Tensor
    """
    timm = importlib.import_module("timm")
    try:
        return timm.create_model(
            architecture.removeprefix("timm/"),
            pretrained=True,
            pretrained_cfg_overlay={"state_dict": dict(state), "source": ""},
            **options,
        )
    except Exception:
        log.info("timm's own words", exc_info=True)
        return None


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
    with compiler.left_out():
        return importlib.import_module("torchvision.models")


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
