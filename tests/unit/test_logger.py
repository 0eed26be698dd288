"""What a run tells on the terminal."""

import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_texalign as plugin


@pytest.fixture
def handler():
    return plugin.LogHandler(SimpleNamespace(), None)


def record(level=logging.INFO, message=None, **extra):
    made = logging.LogRecord("snakemake", level, __file__, 1, message, None, None)
    made.__dict__.update(extra)
    return made


def test_a_pipe_gets_a_line_a_tenth_of_the_jobs(handler, capsys):
    for done in range(1, 101):
        handler.emit(record(event=LogEvent.PROGRESS, done=done, total=100))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("1 of 100 jobs done, ")
    assert lines[-1].startswith("100 of 100 jobs done, ")


def test_a_terminal_gets_one_line_that_moves(handler, capsys, monkeypatch):
    monkeypatch.setattr(plugin.sys.stderr, "isatty", lambda: True, raising=False)
    for done in (1, 2):
        handler.emit(record(event=LogEvent.PROGRESS, done=done, total=3))
    handler.emit(record(logging.ERROR, "texalign: no such file"))
    handler.emit(record(event=LogEvent.PROGRESS, done=3, total=3))
    told = capsys.readouterr().err
    assert told.startswith("\r1 of 3 jobs done")
    assert "\ntexalign: no such file\n\r3 of 3" in told
    assert told.endswith("\n")


def test_a_failed_job_is_named_with_its_log_and_once(handler, capsys):
    handler.emit(
        record(logging.ERROR, "x", event=LogEvent.JOB_ERROR, rule_name="compute_gram", log=["a.log"])
    )
    handler.emit(record(logging.ERROR, "returned non-zero", exception="CalledProcessError"))
    handler.emit(record(logging.ERROR, "WorkflowError:\nAt least one job did not complete successfully."))
    handler.emit(record(message="Select jobs to execute..."))
    assert capsys.readouterr().err == "failed: compute_gram; its log: a.log\n"


def test_nothing_to_do_is_told(handler, capsys):
    handler.emit(record(message="Nothing to be done (all requested files are present and up to date)."))
    assert "Nothing to be done" in capsys.readouterr().err
