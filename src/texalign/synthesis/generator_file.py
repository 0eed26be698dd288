"""A generator on disk: one safetensors file with its weights, its architecture, and what made it."""

import hashlib
import json
from pathlib import Path

import safetensors
import safetensors.torch

from texalign.errors import InputError
from texalign.files import whole
from texalign.synthesis import dcgan
from texalign.synthesis.generator import Architecture, Generator

FORMAT = "texalign generator 1"

#: Kind of a generator → how it is built from its description.
KINDS = {
    Generator.kind: lambda description: Generator(Architecture(**description)),
    dcgan.Generator.kind: lambda description: dcgan.Generator(dcgan.Settings(**description)),
}


def save(path, generator, about=None):
    """Write a generator, whole or not at all.

    Parameters
    ----------
    path : str or Path
    generator : Generator or dcgan.Generator
    about : dict, optional
        Plain values: exemplar, loss, network, versions, and whatever else made it.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in generator.state_dict().items()}
    head = {
        "format": FORMAT,
        "kind": generator.kind,
        "architecture": json.dumps(generator.description, sort_keys=True),
        "sha256": _digest(state),
        "about": json.dumps(about or {}, sort_keys=True),
    }
    with whole(path) as temporary:
        Path(temporary).write_bytes(safetensors.torch.save(state, metadata=head))


def load(path, device="cpu"):
    """Read a generator.

    Parameters
    ----------
    path : str or Path
    device : str or torch.device

    Returns
    -------
    generator : Generator or dcgan.Generator
        In evaluation mode.
    about : dict

    Raises
    ------
    InputError
        The file is missing, damaged, of another version, or its weights are not of its architecture.
    """
    again = "delete it and run again"
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            head = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such generator; run the target synthesis first") from error
    except Exception as error:  # safetensors has an error of its own for whatever is damaged
        raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())}); {again}") from error
    if head.get("format") != FORMAT:
        told = head.get("format") or "nothing"
        raise InputError(f"{path}: {told} where {FORMAT!r} is needed: of another version; {again}")
    if head.get("sha256") != _digest(state):
        raise InputError(f"{path}: its checksum is wrong; {again}")
    try:
        generator = KINDS[head["kind"]](json.loads(head["architecture"]))
        generator.load_state_dict(state)
    except (RuntimeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: its weights are not of the architecture that it tells; {again}") from error
    return generator.eval().to(device), json.loads(head["about"])


def _digest(state):
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name} {tuple(state[name].shape)} ".encode())
        digest.update(state[name].numpy().tobytes())
    return digest.hexdigest()
