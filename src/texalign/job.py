"""What every rule script opens with: its log, its threads, its memory allocator, its last words."""

import contextlib
import ctypes
import gc
import logging
import os
import sys
import time

from texalign.errors import InputError
from texalign.version import __version__

log = logging.getLogger("texalign")

_terminal = sys.stderr
_name = "texalign"
_about = {}


def start(snakemake, *subjects):
    """Send everything said to the rule's log, and fit this process to the threads it was given.

    Call it before numpy or torch are imported: they read the number of threads when they load.
    A refusal names the rule, its wildcards, and the `subjects` that the wildcards do not tell.
    """
    global _name, _about
    _about = {"rule": snakemake.rule, "params": plain(dict(snakemake.params.items()))}
    _name = " ".join([f"texalign: {snakemake.rule}", *snakemake.wildcards, *subjects])
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(snakemake.threads)
    # OpenMP threads that spin while they wait take the cores from the job beside: with two jobs on
    # two cores, each falls to a quarter of its share.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    keep_freed_memory()
    # What imports and figures make stays: to look for cycles in it as often as usual is a twentieth of a job.
    gc.set_threshold(50_000, 20, 50)
    if snakemake.log:
        sys.stderr = sys.stdout = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115 - until exit
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    _tell_warnings()
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells each glyph that it leaves out
    logging.captureWarnings(True)
    sys.excepthook = _last_words


def _tell_warnings():
    """Send what the library warns of to the terminal too: a line in a log that nobody opens is silence."""
    terminal = logging.StreamHandler(_terminal)
    terminal.addFilter(lambda record: record.levelno == logging.WARNING)
    terminal.setFormatter(logging.Formatter(f"{_over_bar()}{_name.replace('%', '%%')}: %(message)s"))
    log.addHandler(terminal)


def _over_bar():
    """Wipe the line where a terminal's bar stands: it is drawn again below what is written there."""
    return "\r\033[K" if getattr(_terminal, "isatty", bool)() else ""


def about():
    """Tell what makes this job's files: the rule with its parameters, and texalign's version."""
    return {"texalign": __version__} | _about


def plain(value):
    """Turn snakemake's named lists, and all in them, into what JSON has."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return value if isinstance(value, int | float | str | None) else str(value)


def device(snakemake):
    """Tell where this job's network runs; `--set-resources compute_gram:gpu=0` keeps a job off the GPU."""
    return snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"


def keep_freed_memory():
    """Have glibc keep large freed blocks: mapping each tensor anew costs up to half of a forward pass.

    One arena for all threads: those of others than the first are made of blocks of 64 MB, smaller
    than many a tensor, and given back as soon as they are empty.
    """
    trim_threshold, mmap_max, arena_max = -1, -4, -8
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # not glibc
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, -1)
    mallopt(arena_max, 1)


def _last_words(kind, error, trace):
    """Tell one line when the input is at fault, and all that is known when the program is."""
    if issubclass(kind, InputError):
        # One write, as jobs that fail at once share the terminal: `print` writes the line's end apart.
        line = f"{_name}: {error}\n"
        for stream in dict.fromkeys((_terminal, sys.stderr)):
            with contextlib.suppress(OSError):  # the log, on a disk that is full
                stream.write(_over_bar() * (stream is _terminal) + line)
                stream.flush()
    else:
        log.critical("failed", exc_info=(kind, error, trace))


def progress(items, total, what, every=15.0):
    """Iterate, telling in the log how far it is: soon at first, then every 15 s. The bar reads it there.

    Parameters
    ----------
    items : iterable
    total : int
        How many items there are; a tuple ``(start, batch)`` counts as ``len(batch)`` items.
    what : str
        For the reader, as ``images``.
    """
    began = spoke = time.monotonic()
    done, wait = 0, min(1.0, every)
    for item in items:
        yield item
        done += len(item[1]) if isinstance(item, tuple) else 1
        now = time.monotonic()
        if now - spoke > wait or done == total:
            spoke, wait = now, min(2 * wait, every)
            rate = done / max(now - began, 1e-9)
            log.info("%d of %d %s, %.1f/s, %.0f s left", done, total, what, rate, (total - done) / rate)
