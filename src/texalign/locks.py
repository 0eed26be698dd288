"""Lock files: the hash of each file of weights, as it was when it was first fetched. Standard library only.

A line a file, as ``sha256sum`` writes it: 64 digits, and where the file is from.
"""

import contextlib
import fcntl
import os
import re
from pathlib import Path

from texalign.errors import InputError
from texalign.files import whole

_HEAD = "# SHA-256 of weights when they were first fetched; checked ever after. Keep it with the table.\n"

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def read(path):
    """Return the hashes of a lock file by source; none where there is no such file.

    Raises
    ------
    InputError
        A line is none of a lock file's, or a source stands twice.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); restore it") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        if not parts or parts[2] in found:
            raise InputError(
                f"{path}: line {number}: no hash and source, or one that stands twice; restore the line, or "
                "delete it together with the weights"
            )
        found[parts[2]] = parts[1]
    return found


def known(path, source):
    """Return the hash that a source's file must have.

    Raises
    ------
    InputError
        The lock file does not have it.
    """
    digest = read(path).get(source)
    if digest is None:
        raise InputError(
            f"{path}: no hash of {source}; restore the line, or delete the weights in resources/weights, so "
            "that they are fetched again"
        )
    return digest


def record(path, source, sha256):
    """Add a source's hash, whole or not at all, while others may add theirs.

    Raises
    ------
    InputError
        It has another one there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    turn = os.open(path.parent, os.O_RDONLY)  # a file of its own would be left behind
    try:
        with contextlib.suppress(OSError):  # a disk without locks
            fcntl.flock(turn, fcntl.LOCK_EX)
        found = read(path)
        if found.setdefault(source, sha256) != sha256:
            raise InputError(
                f"{path}: {source} has the hash {found[source]}, not {sha256}; look which is right"
            )
        lines = [f"{found[key]}  {key}\n" for key in sorted(found)]
        with whole(path) as temporary:
            temporary.write_text(_HEAD + "".join(lines), encoding="utf-8")
    finally:
        os.close(turn)
