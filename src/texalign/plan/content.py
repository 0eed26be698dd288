"""What files hold, by hashes: a file replaced by an older one is noticed, and one touched is not new.

Hashes are kept in a small file, and taken again only where a file's size or times have changed.
"""

import hashlib
import json
import os
from pathlib import Path


class Hashes:
    """SHA-256 of files, remembered.

    Parameters
    ----------
    memory : str or Path
        Where they are kept between runs; it may be deleted at any time.
    """

    def __init__(self, memory):
        self.memory, self.changed = Path(memory), False
        try:
            self.known = json.loads(self.memory.read_text())
        except (OSError, ValueError):
            self.known = {}

    def of(self, path):
        """Return the SHA-256 of a file."""
        status = os.stat(path)
        # The time of the last change cannot be set by hand, as that of the last writing can.
        seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        key = os.path.abspath(path)
        if self.known.get(key, [None])[0] != seen:
            with open(path, "rb") as file:
                self.known[key] = [seen, hashlib.file_digest(file, "sha256").hexdigest()]
            self.changed = True
        return self.known[key][1]

    def save(self):
        """Keep the hashes, where that is possible."""
        if not self.changed:
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


def _visible(path):
    with os.scandir(path) as entries:
        return sorted(
            ((entry.name, entry) for entry in entries if not entry.name.startswith(".")), key=lambda e: e[0]
        )
