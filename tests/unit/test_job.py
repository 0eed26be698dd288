"""What a rule script says last: one line, on the terminal and in the log, also where a disk is full."""

import errno
import sys

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
