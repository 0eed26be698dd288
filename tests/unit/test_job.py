"""What a rule script opens with and says last: its memory is kept, its last words are one line."""

import errno
import platform
import subprocess
import sys

import pytest

from texalign import InputError, job


class Stream:
    """Keeps what is written, one item a write; a full disk takes nothing."""

    def __init__(self):
        self.full, self.written = False, []

    def write(self, text):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written.append(text)

    def flush(self):
        pass


def test_a_wrong_input_is_one_write_on_the_terminal_and_one_in_the_log(monkeypatch):
    terminal, log = Stream(), Stream()
    monkeypatch.setattr(job, "_terminal", terminal)
    monkeypatch.setattr(sys, "stderr", log)
    job._last_words(InputError, InputError("a.h5: the reason"), None)
    assert terminal.written == log.written == ["texalign: a.h5: the reason\n"]
    log.full = True
    job._last_words(InputError, InputError("b.h5: no space"), None)
    assert terminal.written[1:] == ["texalign: b.h5: no space\n"]


def test_a_terminal_that_is_the_log_is_told_once(monkeypatch):
    stream = Stream()
    monkeypatch.setattr(job, "_terminal", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    job._last_words(InputError, InputError("a.h5: the reason"), None)
    assert len(stream.written) == 1


#: Page faults of ten arrays of 200 MB, one after the other, in a thread as in `gram.compute`.
FAULTS = """
import resource, sys, threading
import numpy as np
from texalign import job

def fill():
    for _ in range(10):
        np.ones(50_000_000, np.float32)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "kept":
    job.keep_freed_memory()
before = faults()
thread = threading.Thread(target=fill)
thread.start()
thread.join()
print((faults() - before) * resource.getpagesize())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of glibc is set")
def test_memory_that_a_thread_frees_is_taken_again():
    """A tensor that is mapped anew each time costs more than what is computed in it."""

    def mapped(how):
        command = [sys.executable, "-c", FAULTS, how]
        environment = {"PYTHONPATH": ":".join(filter(None, sys.path)), "GLIBC_TUNABLES": ""}
        # Without NumPy's advice for huge pages, which would hide the faults.
        environment["NUMPY_MADVISE_HUGEPAGE"] = "0"
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert mapped("kept") < 1.5 * 200e6
    assert mapped("given back") > 8 * 200e6


#: A rule script that warns, and then ends in a mistake of its own.
WARNING = """
import logging, types
from texalign import job
job.start(types.SimpleNamespace(rule="a_rule", params={}, wildcards=["100%d"], threads=1, log=["a.log"]))
logging.getLogger("texalign.images.textures").warning("%d files skipped", 3)
logging.getLogger("texalign").info("not for the terminal")
raise RuntimeError("nor this")
"""


def test_warnings_are_told_on_the_terminal_and_in_the_log(tmp_path):
    run = subprocess.run([sys.executable, "-c", WARNING], cwd=tmp_path, capture_output=True, text=True)
    assert run.stderr == "texalign: a_rule 100%d: 3 files skipped\n"
    log = (tmp_path / "a.log").read_text()
    assert log.count("3 files skipped") == log.count("not for the terminal") == log.count("nor this") == 1
