"""Files from elsewhere: fetched once, checked, unpacked. Standard library only."""

import hashlib
import http.client
import logging
import lzma
import shutil
import ssl
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from texalign.errors import InputError
from texalign.files import whole, whole_folder

log = logging.getLogger(__name__)

SCHEMES = ("https", "http", "file")
ATTEMPTS = 3
#: Seconds before the second attempt; the third waits twice as long.
BACKOFF = 2.0
#: Seconds without a byte.
TIMEOUT = 60
#: Bytes that an archive may hold for each of its own: images do not shrink, an archive of zeros by 1000.
RATIO = 100
_BLOCK = 1 << 20

# http.client.RemoteDisconnected is a ConnectionResetError. A refused connection or an unknown host
# is not here: on a machine without a network the user should not have to wait for the answer.
_TRANSIENT = (
    ConnectionResetError,
    ConnectionAbortedError,
    TimeoutError,
    ssl.SSLEOFError,
    http.client.IncompleteRead,
)
_FAILURES = (*_TRANSIENT, urllib.error.URLError, ConnectionError, http.client.HTTPException)


def fetch(url, path, sha256=None, md5=None, sha256_prefix=None, hint="", instead=None):
    """Download a file, whole or not at all, and check it before it gets its name.

    A file that is there already with the right hash (or, if no hash is given, at all) is kept.

    Parameters
    ----------
    url : str
        An http, https or file URL.
    path : str or Path
        Where the file goes. Its folder is created.
    sha256, md5, sha256_prefix : str, optional
        Hexadecimal digests, or the first digits of one, that the file must have.
    hint : str, optional
        What else the user can do without the file; ends the error message.
    instead : str, optional
        What to do without a network, where it is not to put the file at `path`.

    Raises
    ------
    InputError
        The URL cannot be fetched (after three attempts if the failure may pass), or what came has
        another hash. `path` is then as it was before.
    """
    if urlsplit(url).scheme not in SCHEMES:
        raise InputError(f"{url}: unknown kind of URL; allowed: {', '.join(SCHEMES)}")
    hashes = {"sha256": sha256, "md5": md5, "sha256_prefix": sha256_prefix}
    path = Path(path)
    if path.exists():
        wrong = _mismatch(path, **hashes)
        if wrong is None:
            log.info("%s is there already", path)
            return
        log.warning("%s: %s; fetching it again", path, wrong)
    with whole(path) as temporary:
        _fetch_persistently(url, temporary, instead or f"put the file at {path}", hint)
        wrong = _mismatch(temporary, **hashes)
        if wrong is not None:
            raise InputError(
                f"{url}: {wrong}; nothing was written to {path}; run again, "
                "and if it stays so correct the hash or the URL"
            )


def check(path, sha256=None, md5=None, sha256_prefix=None):
    """Check the hash of a file.

    Parameters
    ----------
    path : str or Path
        The file.
    sha256, md5, sha256_prefix : str, optional
        Hexadecimal digests, or the first digits of one. Those that are None are not checked.

    Returns
    -------
    str
        The file's SHA-256.

    Raises
    ------
    InputError
        The file is missing, or a hash differs.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; put it there, or correct the path")
    wrong = _mismatch(path, sha256, md5, sha256_prefix)
    if wrong is not None:
        raise InputError(f"{path}: {wrong}; replace the file, or correct the hash")
    return sha256.lower() if sha256 else sha256_of(path)


def sha256_of(path):
    """Return the SHA-256 of a file, in 64 hexadecimal digits."""
    return _digest(path, "sha256")


def unpack(archive, folder, members_under="dtd/images/", **hashes):
    """Extract the regular files below one folder of a tar archive.

    Links and other special members are left out, so nothing can be written through one.

    Parameters
    ----------
    archive : str or Path
        A tar file, compressed or not.
    folder : str or Path
        What is to appear, whole or not at all, holding what lies below `members_under`.
    members_under : str
        The folder in the archive, with ``/`` at its end.
    **hashes
        What the archive must have, wherever it came from: see `check`. It is opened after that only.

    Raises
    ------
    InputError
        The archive is missing, has another hash, is corrupt, unpacks to more than `RATIO` times its size,
        tries to write outside `folder` or has nothing below `members_under`; or `folder` is there already.
    """
    if not Path(archive).is_file():
        raise InputError(f"{archive}: no such archive; fetch it, or put it there")
    wrong = _mismatch(archive, **hashes)
    if wrong is not None:
        raise InputError(f"{archive}: {wrong}; delete it and run again, or put the right one there")
    with whole_folder(folder) as temporary:
        try:
            with tarfile.open(archive) as tar:
                members = _bounded(tar, RATIO * Path(archive).stat().st_size)
                count = sum(_extract(tar, member, members_under, temporary) for member in members)
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's trouble; a broken gzip file is an OSError without a number
            reason = str(error).partition("\n")[0].rstrip(":")
            raise InputError(
                f"{archive}: corrupt or not a tar archive ({reason}); delete it and run again"
            ) from error
        if not count:
            raise InputError(f"{archive}: has no files below {members_under}; is it the right archive?")
    log.info("%s: %d files unpacked to %s", archive, count, folder)


def _digest(path, algorithm):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _mismatch(path, sha256=None, md5=None, sha256_prefix=None):
    """Say which hash is wrong, or return None."""
    for algorithm, expected, digits in (
        ("sha256", sha256, 64),
        ("sha256", sha256_prefix, len(sha256_prefix or "")),
        ("md5", md5, 32),
    ):
        if expected and (got := _digest(path, algorithm))[:digits] != expected.lower():
            return f"expected {algorithm} {expected}, got {got}"
    return None


def _fetch_persistently(url, temporary, instead, hint):
    """Download to `temporary`, and again when the failure may pass."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _fetch_once(url, temporary)
        except _FAILURES as error:
            reason = _reason(error)
            if _is_transient(error) and attempt < ATTEMPTS:
                wait = BACKOFF * attempt
                log.warning("%s: %s; attempt %d of %d in %g s", url, reason, attempt + 1, ATTEMPTS, wait)
                time.sleep(wait)
                continue
            advice = instead + (f"; or {hint}" if hint else "")
            raise InputError(
                f"{url}: cannot be fetched ({reason}); with a network, run again; without one, {advice}"
            ) from error


def _fetch_once(url, temporary):
    request = urllib.request.Request(url, headers={"User-Agent": "texalign"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, open(temporary, "wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        done, logged = 0, 0
        while block := response.read(_BLOCK):
            file.write(block)
            done += len(block)
            if total and 10 * done // total > logged:
                logged = 10 * done // total
                log.info("%s: %d %% of %.1f MB", url, 10 * logged, total / 1e6)
    if done < total:
        # http.client returns a short body without complaint when it is read in blocks.
        raise http.client.IncompleteRead(b"", total - done)


def _is_http(error):
    return isinstance(error, urllib.error.HTTPError)


def _reason(error):
    """Unwrap urllib's error, and give an incomplete body words."""
    if _is_http(error):
        error.close()  # it holds the connection
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return f"the connection was lost {error.expected} bytes before the end"
    reason = getattr(error, "reason", error)
    return str(reason) or type(reason).__name__


def _is_transient(error):
    if _is_http(error):
        return error.code >= 500 or error.code in (408, 429)
    return isinstance(getattr(error, "reason", error), _TRANSIENT)


def _bounded(tar, most):
    """Members of an archive, as long as they have no more bytes in all."""
    for member in tar:
        most -= member.size
        if most < 0:
            raise InputError(f"{tar.name}: unpacks to more than {RATIO} times its size; don't use it")
        yield member


def _extract(tar, member, members_under, folder):
    """Extract one member if it is a regular file below `members_under`; say whether it was."""
    name = member.name.removeprefix("./")
    if not member.isreg() or not name.startswith(members_under):
        return False
    target = folder / name[len(members_under) :]
    if not target.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{tar.name}: member {member.name} would land outside its folder; don't use it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tar.extractfile(member) as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy)
    return True
