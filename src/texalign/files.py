"""Files and folders that appear whole or not at all. Standard library only."""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from texalign.errors import InputError

#: Seconds after which what a job has left on a disk without locks is taken for a dead one's.
DEAD = 86400


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
    with (
        _clear_when_disk_is_full(path, size),
        _temporary(path, lambda name: name.touch(exist_ok=False)) as temporary,
    ):
        _check_room(path.parent, size)
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)


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
        `path` is there already and holds something, or the disk is full. Where another job has filled it
        meanwhile, that one's is kept.
    """
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: exists already; delete it to have it made again")
    with _clear_when_disk_is_full(path), _temporary(path, Path.mkdir) as temporary:
        yield temporary
        try:
            os.replace(temporary, path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


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


@contextlib.contextmanager
def _temporary(path, make):
    """Make a sibling to write to, gone at the end, and clear what killed jobs have left of earlier ones.

    A lock tells the living from the dead, in other processes and on other machines: two studies that
    share a folder may fetch the same file at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Digits only: another job's my-x.h5 is being written as .writing-1-my-x.h5, which is none of x.h5.
    ours = re.compile(rf"\.writing-\d+-{re.escape(path.name)}")
    for other in filter(lambda file: ours.fullmatch(file.name), path.parent.iterdir()):
        with _locked(other) as dead:
            if dead:
                _remove(other)
    while True:
        temporary = path.with_name(f".writing-{os.getpid()}{secrets.randbelow(10**9):09d}-{path.name}")
        make(temporary)
        with _locked(temporary):
            if not temporary.exists():  # cleared by another job before it was locked
                continue
            try:
                yield temporary
            finally:
                _remove(temporary)
            return


@contextlib.contextmanager
def _locked(file):
    """Hold the lock of a file or folder as long as the block; tell whether nobody else had it."""
    try:
        descriptor = os.open(file, os.O_RDONLY if file.is_dir() else os.O_RDWR)
    except OSError:
        yield False  # gone meanwhile, or another user's
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        except OSError:  # a disk without locks
            alone = time.time() - os.fstat(descriptor).st_mtime > DEAD
        yield alone
    finally:
        os.close(descriptor)


def _remove(file):
    if file.is_dir():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)


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
