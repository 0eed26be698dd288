"""Checkpoints: the state of a long job, with what it belongs to and a checksum, whole or not at all.

A file is one line of JSON (format, identity, SHA-256 of the rest) and behind it the state as torch
writes it: tensors and plain values, so that the safe unpickler reads them.
"""

import hashlib
import io
import json
import logging
from pathlib import Path

import torch

from texalign.files import whole

log = logging.getLogger(__name__)

FORMAT = "texalign checkpoint 1"


def save(path, identity, state):
    """Write a state, whole or not at all.

    Parameters
    ----------
    path : str or Path
    identity : dict
        Plain values: all that must agree for the state to be gone on with.
    state : dict
        Tensors and plain values.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    head = {"format": FORMAT, "identity": plain(identity), "sha256": hashlib.sha256(payload).hexdigest()}
    with whole(path) as temporary, open(temporary, "wb") as file:
        file.write(json.dumps(head, sort_keys=True).encode() + b"\n")
        file.write(payload)


def load(path, identity):
    """Read a state that belongs to `identity`.

    Returns
    -------
    dict or None
        None, with the reason in the log, where there is no file, it is damaged, or it belongs to
        another job: the work then starts anew, which costs time and no number.
    """
    if path is None or not Path(path).exists():
        return None
    try:
        head, _, payload = Path(path).read_bytes().partition(b"\n")
        head = json.loads(head)
        if head["format"] != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        if hashlib.sha256(payload).hexdigest() != head["sha256"]:
            raise ValueError("its checksum is wrong")
        other = differing(head["identity"], plain(identity))
        if not other:
            return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        log.warning("%s: cannot be read (%s: %s); starting anew", path, type(error).__name__, reason)
        return None
    log.warning("%s: made with other %s; starting anew", path, ", ".join(other))
    return None


def plain(identity):
    """Give an identity as JSON would: tuples are lists, and keys are texts."""
    return json.loads(json.dumps(identity, sort_keys=True))


def differing(one, other):
    """List what two identities do not agree on."""
    return sorted(key for key in one.keys() | other.keys() if one.get(key, ...) != other.get(key, ...))
