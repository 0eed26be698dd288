"""What a run tells on the terminal, by `snakemake --logger texalign`: how far it is, and what failed.

One line that moves where the output is a terminal, and a line a tenth of the jobs where it is not.
The logs in ``.snakemake/log`` and of the rules keep the rest.
"""

import sys
import time

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Snakemake's log records → a short progress on stderr."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = has_formatter = True
    needs_rulegraph = False

    def __post_init__(self):
        """Note when the run began."""
        self.began, self.tenth, self.open = time.monotonic(), -1, False

    def emit(self, record):
        """Tell of progress, of failures, and that there is nothing to do."""
        event = getattr(record, "event", None)
        if event == LogEvent.PROGRESS:
            self._progress(record.done, record.total)
        elif event == LogEvent.JOB_ERROR:
            self._line(
                f"failed: {record.rule_name}; its log: {', '.join(map(str, record.log or [])) or 'none'}"
            )
        elif self._matters(record):
            self._line(record.getMessage().strip())

    @staticmethod
    def _matters(record):
        """Whether a message says more than the line that the failed job itself has told."""
        if record.levelname not in ("ERROR", "CRITICAL"):
            return "Nothing to be done" in str(record.msg)
        known = getattr(record, "exception", None) == "CalledProcessError"
        return not known and "did not complete successfully" not in str(record.msg)

    def _progress(self, done, total):
        minutes, seconds = divmod(round(time.monotonic() - self.began), 60)
        text = f"{done} of {total} jobs done, {minutes}:{seconds:02d}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{text}" + "\n" * (done == total))
            sys.stderr.flush()
            self.open = done < total
        elif done == total or 10 * done // total > self.tenth:
            self.tenth = 10 * done // total
            self._line(text)

    def _line(self, text):
        # One write, as jobs that fail at once share the terminal.
        sys.stderr.write("\n" * self.open + text + "\n")
        sys.stderr.flush()
        self.open = False
