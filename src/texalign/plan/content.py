"""What files hold, by hashes: a file replaced by an older one is noticed, and one touched is not new.

Hashes are kept in a small file, and taken again only where a file's size or times have changed.
"""

import hashlib
import json
import os
import time
from pathlib import Path

from texalign.errors import InputError

#: Where a study's hashes are kept between runs, under the working directory.
MEMORY = ".snakemake/texalign/hashes.json"

#: Seconds in which a file may be changed once more without its times telling: as long as the clock of a
#: file system ticks. The hash of one that is as young is taken again by the next run.
YOUNG = 2


def sha256(path):
    """Take the SHA-256 of a file, now."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Hashes:
    """SHA-256 of files, remembered.

    Parameters
    ----------
    memory : str or Path, optional
        Where they are kept between runs; it may be deleted at any time. None: nowhere.
    """

    def __init__(self, memory=None):
        self.memory, self.changed = memory and Path(memory), False
        try:
            known = json.loads(self.memory.read_text()) if memory else {}
        except (OSError, ValueError):
            known = {}
        self.known = known if isinstance(known, dict) else {}

    def of(self, path):
        """Return the SHA-256 of a file."""
        status = os.stat(path)
        # The time of the last change cannot be set by hand, as that of the last writing can.
        seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        key = os.path.abspath(path)
        if self.known.get(key, [None])[0] != seen:
            if time.time() - status.st_ctime < YOUNG:
                seen = None
            self.known[key] = [seen, sha256(path)]
            self.changed = True
        return self.known[key][1]

    def save(self):
        """Keep the hashes, where that is possible."""
        if not self.changed or not self.memory:
            return
        temporary = self.memory.with_name(f".writing-{os.getpid()}-{self.memory.name}")
        try:
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self.known))
            os.replace(temporary, self.memory)
            self.changed = False
        except OSError:
            return  # a folder that cannot be written: the next run takes the hashes again


def of_tree(folder, hashes):
    """Hash of the names and contents of a ``<folder>/<class>/<image>`` tree.

    Hidden files and folders do not count; nor does what lies deeper than two levels.

    Returns
    -------
    str
        16 hexadecimal digits, or ``"absent"`` where there is no such folder: a plan is no place for
        the error, which `texalign.images.textures.folder` words better.
    """
    if not os.path.isdir(folder):
        return "absent"
    total = hashlib.sha256()
    for name, entry in _visible(folder):
        # Unlike the entry itself, this takes a link that leads to itself.
        for member, file in _visible(entry.path) if os.path.isdir(entry.path) else [("", entry)]:
            content = hashes.of(file.path) if os.path.isfile(file.path) else "no file"
            total.update(os.fsencode(f"{name}\0{member}\0{content}\n"))
    hashes.save()
    return total.hexdigest()[:16]


def check_any(path, expected):
    """Refuse a file, or a tree of images, that is not what it was when the run was planned.

    Parameters
    ----------
    path : str, Path or None
        None where there is nothing on disk.
    expected : str or None
        The SHA-256 of a file, or what `of_tree` gave; None where the plan knows of none.

    Raises
    ------
    InputError
        It was changed meanwhile; or it was damaged, and its times do not tell.
    """
    if path and Path(path).is_dir():
        check_tree(path, expected or recorded(path))
    elif path and expected and sha256(path) != expected:
        raise InputError(f"{path}: {_CHANGED}")


def check_tree(folder, expected, memory=MEMORY):
    """Refuse a ``<folder>/<class>/<image>`` tree that is not what it was when the run was planned.

    Call it after the images were read: what was read then is what was planned.

    Parameters
    ----------
    folder : str or Path
    expected : str or None
        Its hash then, from `of_tree`; None where the plan knows of none.
    memory : str or Path
        Of the plan's hashes, by which the error names the files.

    Raises
    ------
    InputError
        See `check_any`.
    """
    fresh = Hashes()
    if not expected or of_tree(folder, fresh) == expected:
        return
    known = Hashes(memory).known
    found = {path: sha for path, (_, sha) in fresh.known.items()}
    changed = sorted(path for path, sha in found.items() if known.get(path, [None, sha])[1] != sha)
    raise InputError(f"{', '.join(changed[:3]) or folder}: {_CHANGED}")


_CHANGED = (
    "not what it was when this run was planned: it was changed meanwhile, or damaged without a new date; "
    "look at it, `touch` it if it is right, and run again"
)


def record(folder):
    """Keep the hash of a tree that was just unpacked, in ``<folder>.hash`` beside it."""
    Path(f"{folder}.hash").write_text(of_tree(folder, Hashes()) + "\n")


def recorded(folder):
    """Return what `record` kept; None where there is nothing."""
    try:
        return Path(f"{folder}.hash").read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _visible(path):
    with os.scandir(path) as entries:
        return sorted(
            ((entry.name, entry) for entry in entries if not entry.name.startswith(".")), key=lambda e: e[0]
        )
