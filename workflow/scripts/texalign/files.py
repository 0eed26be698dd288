"""Files and folders that appear whole or not at all. Standard library only."""

import contextlib
import errno
import os
import re
import shutil
from pathlib import Path

from texalign import InputError


@contextlib.contextmanager
def whole(path):
    """Write a file under a temporary name, and rename it when it is complete.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder is created.

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
    with _clear_when_disk_is_full(path):
        temporary = _temporary(path)
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


@contextlib.contextmanager
def _clear_when_disk_is_full(path):
    try:
        yield
    except (OSError, RuntimeError) as error:
        if _is_disk_full(error):
            raise InputError(
                f"{path}: no space left on the disk; free some, or use another disk, and run again"
            ) from error
        raise


def _is_disk_full(error):
    # HDF5 wraps the system's error in an OSError or RuntimeError of its own, with the number in the text.
    number = getattr(error, "errno", None)
    return number in (errno.ENOSPC, errno.EDQUOT) or f"errno = {errno.ENOSPC}" in str(error)
