"""What a run tells on the terminal."""

import contextlib
import fcntl
import logging
import os
import pty
import struct
import subprocess
import sys
import termios
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_texalign as plugin

ASKED = {
    **dict.fromkeys(["dryrun", "verbose", "debug_dag", "nocolor", "stdout", "printshellcmds"], False),
    **{"quiet": None, "show_failed_logs": True},
}


@pytest.fixture
def handler(monkeypatch):
    monkeypatch.setattr(plugin, "broken_config", lambda: None)
    return plugin.LogHandler(SimpleNamespace(**ASKED), None)


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


#: What a run tells the plugin, and what stands in the log of its pass.
RUN = """
import logging, pathlib, sys, time
from types import SimpleNamespace
import snakemake_logger_plugin_texalign as plugin
from snakemake_interface_logger_plugins.common import LogEvent
plugin.EVERY = 0.05
handler = plugin.LogHandler(SimpleNamespace(dryrun=0, verbose=0, debug_dag=0, quiet=None), None)
handler.read = True
def tell(level=20, message=None, **extra):
    made = logging.LogRecord("snakemake", level, "", 1, message, None, None)
    made.__dict__.update(extra)
    handler.emit(made)
tell(event=LogEvent.RUN_INFO, stats={"total": 3})
for name, rate in (("a", 70.4), ("b", 12.1)):
    pathlib.Path(name).write_text(f"12:00:00 INFO 64 of 180 images, {rate}/s, 2 s left\\n")
    tell(event=LogEvent.JOB_INFO, jobid=name, log=[name])
tell(event=LogEvent.JOB_INFO, jobid="c", log=[])
time.sleep(0.5)
tell(event=LogEvent.JOB_FINISHED, job_id="a")
tell(event=LogEvent.PROGRESS, done=1, total=3)
tell(40, "texalign: no such file")
time.sleep(0.5)
for done in (2, 3):
    tell(event=LogEvent.PROGRESS, done=done, total=3)
tell(20, "after it")
"""


def said_by_a_run(folder, size=None):
    """All that a run writes on its stderr, be that a terminal of so many lines and columns or a pipe."""
    reader, writer = pty.openpty() if size else os.pipe()
    if size:
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    with subprocess.Popen([sys.executable, "-c", RUN], cwd=folder, stderr=writer):
        os.close(writer)
        said = b""
        with contextlib.suppress(OSError):  # how a terminal ends
            while part := os.read(reader, 4096):
                said += part
    os.close(reader)
    return said.decode().replace("\r\n", "\n")


def on_screen(said):
    """Lines as they stand in the end on a terminal that knows returns and lines cut off."""
    lines = []
    for line in said.split("\n"):
        shown = ""
        for part in line.split("\r"):
            part = part.replace("\x1b[A", "")
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return [line for line in lines if line]


def test_a_terminal_gets_one_bar_for_the_run(tmp_path):
    said = said_by_a_run(tmp_path, (30, 100))
    for text in ("0 of 3 jobs", "82 images/s", "12 images/s", "left"):
        assert text in said
    shown = on_screen(said)
    assert len(shown) == 3, shown
    assert shown[0] == "texalign: no such file"
    assert "100 %|" in shown[1]
    assert "3 of 3 jobs" in shown[1]
    assert shown[2] == "after it"
    assert all(len(line) <= 100 for line in shown)


@pytest.mark.parametrize("size", [None, (0, 0)], ids=["pipe", "terminal-without-size"])
def test_a_pipe_gets_plain_lines(tmp_path, size):
    said = said_by_a_run(tmp_path, size).replace("\r\n", "\n")
    assert "\r" not in said
    assert "\x1b" not in said
    lines = said.splitlines()
    assert [line.split(" jobs")[0] for line in lines if "jobs" in line] == ["1 of 3", "2 of 3", "3 of 3"]
    assert [line for line in lines if "jobs" not in line] == ["texalign: no such file", "after it"]


FAILED = (
    'RuleException:\nCalledProcessError in file "/a/workflow/rules/gram.smk", line 45:\n'
    "Command 'set -euo pipefail;  python /a/.snakemake/scripts/tmp_8t.compute_gram.py' {}."
)


def failed(log, **extra):
    extra = {"rule_name": "compute_gram", "log": [str(log)], "aux": {}, "indent": False} | extra
    return record(logging.ERROR, "x", event=LogEvent.JOB_ERROR, **extra)


def error(message):
    return record(logging.ERROR, message, event=LogEvent.ERROR, exception="RuleException")


def test_a_failed_job_is_named_with_its_log_and_once(handler, capsys, tmp_path):
    """The job has told its refusal; snakemake adds files of rules, and its log once more."""
    (tmp_path / "a.log").write_text("texalign: compute_gram a: no such file\n")
    handler.emit(error(FAILED.format("returned non-zero exit status 1")))
    handler.emit(failed(tmp_path / "a.log"))
    handler.emit(record(message="Select jobs to execute..."))
    handler.emit(record(message="Exiting because a job execution failed. Look above for error messages"))
    handler.emit(error("WorkflowError:\nAt least one job did not complete successfully."))
    assert capsys.readouterr().err == f"failed: compute_gram; its log: {tmp_path}/a.log\n"


@pytest.mark.parametrize("where", [{"aux": {"external_jobid": "7"}}, {"indent": True}])
def test_a_refusal_on_another_machine_is_told_here(handler, capsys, tmp_path, where):
    (tmp_path / "a.log").write_text("12:00:00 INFO read\ntexalign: compute_gram a: no such file\n\n")
    handler.emit(failed(tmp_path / "a.log", **where))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "texalign: compute_gram a: no such file"
    assert told[1:] == [f"failed: compute_gram; its log: {tmp_path}/a.log"]


def test_a_failure_of_the_program_is_told_by_its_last_line(handler, capsys, tmp_path):
    (tmp_path / "a.log").write_text("Traceback (most recent call last):\n  ...\nKeyError: 'x'\n")
    handler.emit(failed(tmp_path / "a.log"))
    handler.emit(failed(tmp_path / "none.log"))
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("failed: compute_gram (KeyError: 'x'); its log: ")
    assert told[1] == f"failed: compute_gram; its log: {tmp_path}/none.log"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("returned non-zero exit status 137", "compute_gram: ended by signal 9, often for want of memory"),
        ("died with <Signals.SIGKILL: 9>", "compute_gram: ended by signal 9, often for want of memory"),
        ("returned non-zero exit status 139", "compute_gram: ended by signal 11"),
    ],
)
def test_a_job_that_was_killed_could_not_tell(handler, capsys, end, words):
    handler.emit(error(FAILED.format(end)))
    assert capsys.readouterr().err == words + "\n"


def test_what_is_no_chatter_is_told(handler, capsys):
    """Nothing to be done, a restart, a warning, a cluster's submission: and what is not known."""
    told = [
        "Nothing to be done (all requested files are present and up to date).",
        "Trying to restart job 3.",
    ]
    for message in (*told, "Provided cores: 2", "Building DAG of jobs...", None):
        handler.emit(record(message=message))
    handler.emit(record(logging.WARNING, "a warning"))
    assert capsys.readouterr().err.splitlines() == [*told, "a warning"]


def test_quiet_is_quieter_still(capsys):
    handler = plugin.LogHandler(SimpleNamespace(**ASKED | {"quiet": {Quietness.PROGRESS}}), None)
    handler.emit(record(event=LogEvent.PROGRESS, done=1, total=1))
    handler.emit(record(message="Nothing to be done"))
    assert capsys.readouterr().err == "Nothing to be done\n"
    handler = plugin.LogHandler(SimpleNamespace(**ASKED | {"quiet": {Quietness.ALL}}), None)
    handler.emit(record(message="Nothing to be done"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("asked", ["dryrun", "verbose"])
def test_a_dry_run_is_told_as_snakemake_tells_it(capsys, asked):
    handler = plugin.LogHandler(SimpleNamespace(**ASKED | {asked: True, "stdout": True}), None)
    handler.emit(record(message="Building DAG of jobs..."))
    # So a message of None arrives.
    handler.emit(record(message="None"))
    handler.emit(record(event=LogEvent.RUN_INFO, message="Job stats:"))
    assert capsys.readouterr().out == "Building DAG of jobs...\nJob stats:\n"
