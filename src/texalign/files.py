"""Files and folders that appear whole or not at all. Standard library only."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from texalign.errors import InputError


@contextlib.contextmanager
def whole(path, size=0):
    """Write a file under a temporary name, and rename it when it is complete.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder is created.
    size : int, optional
        Bytes that will be written. Where the disk has less room, that is told before any work.

    Yields
    ------
    Path
        The temporary name, in the same folder. It ends like `path`, so that libraries that look at
        the suffix see the right one.

    Raises
    ------
    InputError
        The disk is full. Nothing is left behind.
    """
    path = Path(path)
    with _clear_when_disk_is_full(path, size):
        temporary = _temporary(path)
        _check_room(path.parent, size)
        try:
            yield temporary
            with open(temporary, "rb") as handle:
                os.fsync(handle.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path):
    """Fill a folder under a temporary name, and rename it when it is complete.

    Parameters
    ----------
    path : str or Path
        The final name. It must not exist, or be an empty folder.

    Yields
    ------
    Path
        The temporary folder, empty, beside the final one.

    Raises
    ------
    InputError
        `path` is there already and holds something, or the disk is full.
    """
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: exists already; delete it to have it made again")
    with _clear_when_disk_is_full(path):
        temporary = _temporary(path)
        try:
            temporary.mkdir()
            yield temporary
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def scratch(folder=None, size=0):
    """Open a file without a name, to write and to read back, which is gone when the block ends.

    Parameters
    ----------
    folder : str or Path, optional
        The system's folder for temporary files, which the variable TMPDIR names, by default.
    size : int, optional
        Bytes that will be written. Where the disk has less room, that is told before any work.

    Raises
    ------
    InputError
        The disk is full.
    """
    folder = Path(folder or tempfile.gettempdir())
    with _clear_when_disk_is_full(folder, size, "free some, or name another folder by TMPDIR"):
        _check_room(folder, size)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file


def _temporary(path):
    """Name a sibling to write to, and clear what killed jobs have left of earlier ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Digits only: another job's my-x.h5 is being written as .writing-1-my-x.h5, which is none of x.h5.
    ours = re.compile(rf"\.writing-\d+-{re.escape(path.name)}")
    for stale in filter(lambda file: ours.fullmatch(file.name), path.parent.iterdir()):
        if stale.is_dir():
            shutil.rmtree(stale, ignore_errors=True)
        else:
            stale.unlink(missing_ok=True)
    return path.with_name(f".writing-{os.getpid()}-{path.name}")


def _check_room(folder, size):
    disk = shutil.disk_usage(folder)
    if disk.total and disk.free < size:  # some network disks tell nothing
        raise OSError(errno.ENOSPC, f"{disk.free} bytes are free")


@contextlib.contextmanager
def _clear_when_disk_is_full(path, size=0, advice="free some, or use another disk"):
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        needed = f", {size / 1e9:.3g} GB are needed" if size else ""
        raise InputError(f"{path}: no space left on the disk{needed}; {advice}, and run again") from error
