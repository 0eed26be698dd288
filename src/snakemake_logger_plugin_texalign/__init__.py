"""What a run tells on the terminal: how far it is, and what failed, once; `--logger texalign`.

One bar for the run where the output is a terminal, with the images a second of the passes that run and the
time that is left, and a line a tenth of the jobs where it is not.
The logs in ``.snakemake/log`` and of the rules keep the rest. A dry run, and what `--verbose` and
`--debug-dag` ask for, is told as snakemake itself tells it.
"""

import contextlib
import io
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from tqdm import tqdm

#: How snakemake's messages begin that say nothing of what was asked for. What is not known is told.
CHATTER = (
    *("Assuming unrestricted ", "Building DAG", "Complete log", "Conda environments: ", "Config file "),
    *("Elapsed time", "Execute ", "Exiting because a job", "Provided ", "Removing temporary output"),
    *("Rules claiming more threads", "Select jobs", "Touching output", "Using shell", "host: "),
)

#: The bar, and how a job's log tells how fast it is: see `texalign.job.progress`.
BAR = "{percentage:3.0f} %|{bar:24}| {n_fmt} of {total_fmt} jobs, {elapsed}, about {remaining} left{postfix}"
#: Before a tenth of the jobs are done, what is left is anybody's guess.
EARLY = BAR.replace(", about {remaining} left", "")
RATE = re.compile(r"\d+ of \d+ images, ([\d.]+)/s")

#: Seconds between two looks at the logs.
EVERY = 1.0


class LogHandler(LogHandlerBase):
    """Snakemake's log records → a short progress on stderr."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = has_formatter = True
    needs_rulegraph = False

    def __post_init__(self):
        """Note when the run began, and who tells what is not told shortly."""
        self.began, self.tenth, self.read = time.monotonic(), -1, False
        self.bar, self.running = None, {}
        asked = self.common_settings
        self.quiet = {str(kind) for kind in asked.quiet or ()}
        self.whole = as_snakemake(asked) if asked.dryrun or asked.verbose or asked.debug_dag else None

    def emit(self, record):
        """Tell of progress, of failures, and of what else is worth a line."""
        fault = None if self.read or record.levelno < logging.ERROR else broken_config()
        self.read = self.read or str(record.msg).startswith("Building DAG") or fault is not None
        if fault:
            self._line(fault)
        elif self.whole:
            # On its way through snakemake's queue, no message has become the word None.
            record.msg = None if record.msg == "None" else record.msg
            self.whole.handle(record)
        elif "all" not in self.quiet:
            self._tell(record)

    def _tell(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.running[record.jobid] = list(record.log or [])
        elif event == LogEvent.JOB_FINISHED:
            self.running.pop(record.job_id, None)
        elif event == LogEvent.RUN_INFO and "progress" not in self.quiet and has_room():
            self._move(0, record.stats["total"])
        elif event == LogEvent.PROGRESS and "progress" not in self.quiet:
            self._progress(record.done, record.total)
        elif event == LogEvent.JOB_ERROR:
            self.running.pop(getattr(record, "jobid", None), None)
            self._line(failure(record))
        elif event == LogEvent.ERROR and (ended := how_ended(str(record.msg))) is not None:
            if ended:
                self._line(ended)
        elif event in (None, LogEvent.ERROR) and record.levelno >= logging.INFO:
            text = str(record.msg).strip()
            if text not in ("", "None") and not text.startswith(CHATTER):
                self._line(text)

    def _progress(self, done, total):
        if has_room():
            self._move(done, total)
        elif done == total or 10 * done // total > self.tenth:
            self.tenth = 10 * done // total
            minutes, seconds = divmod(round(time.monotonic() - self.began), 60)
            self._line(f"{done} of {total} jobs done, {minutes}:{seconds:02d}")

    def _move(self, done, total):
        """Let the bar stand at so many jobs; it goes on by itself until all are done."""
        if self.bar is None:
            look = {"bar_format": EARLY, "dynamic_ncols": True, "mininterval": 0, "smoothing": 0}
            self.bar = tqdm(total=total, file=sys.stderr, **look)
            threading.Thread(target=self._keep_moving, args=[self.bar], daemon=True).start()
        self.bar.total = total
        self.bar.n = done
        self.bar.bar_format = BAR if 10 * done >= total else EARLY
        self.bar.set_postfix_str(told_rate(self.running.values()), refresh=False)
        self.bar.refresh()
        if done >= total:
            self.close_bar()

    def _keep_moving(self, bar):
        while not time.sleep(EVERY) and self.bar is bar:
            bar.set_postfix_str(told_rate(list(self.running.values())), refresh=False)
            bar.refresh()

    def close_bar(self):
        """Leave the bar as it stands, and go on below it."""
        if self.bar is not None:
            bar, self.bar = self.bar, None
            bar.close()

    def close(self):
        """End with the run, however it ends."""
        self.close_bar()
        super().close()

    def _line(self, text):
        # One write, as jobs that fail at once share the terminal; above the bar, where there is one.
        if self.bar is None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        else:
            self.bar.write(text, file=sys.stderr)


def has_room():
    """Tell whether the output is a terminal, and one that knows how large it is."""
    if not sys.stderr.isatty():
        return False
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return columns >= 40 and lines >= 2


def as_snakemake(settings):
    """Make what snakemake itself would tell the run with."""
    from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

    return ColorizingTextHandler(
        settings.nocolor,
        sys.stdout if settings.stdout else sys.stderr,
        DefaultFormatter(settings.quiet, settings.show_failed_logs),
        DefaultFilter(
            settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
        ),
    )


def failure(record):
    """Word the failure of a job: a refusal that it has told on this terminal is not told again."""
    log = next(iter(record.log or []), None)
    last = last_line(log) if log else ""
    # A cluster's job has an id there, and told its line elsewhere.
    elsewhere = getattr(record, "aux", None) or getattr(record, "indent", False)
    said = f"{last}\n" if last.startswith("texalign: ") and elsewhere else ""
    why = f" ({last})" if re.match(r"(\w+\.)*\w*(Error|Exception|Interrupt)\b", last) else ""
    return f"{said}failed: {record.rule_name}{why}; its log: {log or 'none'}"


def told_rate(logs):
    """Sum the images a second of the passes that run, as their logs tell them.

    Parameters
    ----------
    logs : iterable of list of str
        The log files of each job that runs.
    """
    last = (last_line(paths[0]) for paths in list(logs) if paths)
    rates = [float(found[1]) for found in map(RATE.search, last) if found]
    return f"{sum(rates):.0f} images/s" if rates else ""


def last_line(path):
    """Read the last line of a log, or nothing where there is none."""
    try:
        lines = Path(path).read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def how_ended(message):
    """Word how a job's process ended, where it could not do so itself.

    Returns
    -------
    str or None
        Empty where the job has told it; None where the message is of something else.
    """
    if "At least one job did not complete successfully" in message:
        return ""
    if "CalledProcessError" not in message:
        return None
    # bash tells a signal as a status above 128.
    number = re.search(r"exit status (\d+)|died with <Signals\.\w+: (\d+)>", message)
    status = int(number[1] or 128 + int(number[2])) if number else 0
    rule = re.search(r"\.(\w+)\.py\b", message)
    if status <= 128:
        return ""
    often = ", often for want of memory" if status == 137 else ""
    return f"{rule[1] if rule else 'a job'}: ended by signal {status - 128}{often}"


def broken_config():
    """Find what of this run's config cannot be read: `--config`, or the first such file.

    Snakemake reads them before any line of the workflow, and answers with a traceback.

    Returns
    -------
    str or None
        One line on it.
    """
    from snakemake import cli
    from snakemake.common.configfile import load_configfile

    from texalign.errors import InputError
    from texalign.plan.reading import check_yaml

    with contextlib.redirect_stderr(io.StringIO()):
        _, asked = cli.parse_args(None)
    try:
        cli.parse_config(asked.config)
    except Exception as error:
        return f"texalign: --config: {' '.join(str(error).split())}"
    ours = Path(asked.directory or "", "config/config.yaml")
    for path in [*(asked.configfile or []), *([ours] if ours.exists() else [])]:
        try:
            check_yaml(path)
            load_configfile(path)
        except InputError as error:
            return f"texalign: {error}"
        except Exception as error:  # of a template in it, say
            return f"texalign: {path}: cannot be read ({' '.join(str(error).split())}); correct it"
    return None
