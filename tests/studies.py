"""Private copies of this repository with a tiny study in them, and snakemake run on them."""

import contextlib
import functools
import importlib
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]

#: Layers L1 and L2 of each network of the tiny study.
LAYERS = {
    "alexnet": ["features.0", "features.3"],
    "resnet18": ["bn1", "layer1.0.bn1"],
    "squeezenet1_1": ["features.0", "features.3.squeeze"],
}

OVERLAY = {
    "study": "tiny",
    "dataset": {"source": "procedural", "classes": 3, "per_class": 4},
    "image": {"size": 64},
    "networks": ["alexnet", "resnet18"],
    "controls": [],
    "models": "models.yaml",
    "mutual_information": {"permutations": 5},
}


def models():
    """The tiny study's model table: every network untrained, and with two layers."""
    return {
        name: {"architecture": name, "weights": "untrained", "layers": layers, "label": name.title()}
        for name, layers in LAYERS.items()
    }


def environment():
    """This process's environment, without what would change how snakemake behaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def copy_repository(folder):
    """Copy what git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


class Study:
    """A folder to run snakemake in: by default a copy of this repository with an overlay in it.

    Parameters
    ----------
    folder : Path
        Where; made when it is not there.
    overlay, table : dict
        What `study.yaml` and `models.yaml` hold.
    """

    def __init__(self, folder, overlay=None, table=None, copy=True):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.overlay = OVERLAY | (overlay or {})
        self.table = models() if table is None else table
        if copy:
            copy_repository(self.folder)
        self.write()

    def __truediv__(self, name):
        return self.folder / name

    def copy(self, folder):
        """The same study elsewhere, time stamps included; the clone is free to be changed."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Study(folder, self.overlay, self.table, copy=False)

    def write(self):
        for name, content in (("study.yaml", self.overlay), ("models.yaml", self.table)):
            text = content if isinstance(content, str) else yaml.safe_dump(content)
            if not (self / name).exists() or (self / name).read_text() != text:
                (self / name).write_text(text)

    def change(self, **keys):
        """Change keys of the overlay."""
        self.overlay = self.overlay | keys
        self.write()

    def change_model(self, network, **keys):
        """Change keys of one entry of the model table, or add it."""
        self.table = self.table | {network: self.table.get(network, {}) | keys}
        self.write()

    def edit(self, name, old, new):
        """Replace a text that a file must contain."""
        text = (self / name).read_text()
        assert old in text, f"{name} does not contain {old!r}"
        (self / name).write_text(text.replace(old, new))

    def command(self, *arguments):
        return [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", "2", *arguments]

    def snakemake(self, *arguments, timeout=600):
        """Run snakemake, and return its exit code and all that it said on the terminal."""
        # The config file ends at the next option, so that targets may follow.
        return run(self.command("--printshellcmds", *arguments), self.folder, timeout)

    def make(self, *arguments):
        """Run snakemake, which must succeed."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, *arguments):
        """The jobs that snakemake would run: `rule` and its wildcards' values in their order."""
        return jobs(self.make("--dry-run", *arguments))

    def tables(self):
        """Every table of the study, as bytes."""
        return {path.name: path.read_bytes() for path in sorted((self / "results/tiny").glob("*.csv"))}

    def leftovers(self):
        """What a job that was cut short would leave."""
        return sorted(path for path in self.folder.rglob(".writing-*") if ".snakemake" not in path.parts)


def run(command, folder, timeout=600):
    """Run a command in a process group of its own, which ends with it; snakemake is not imported anew."""
    if command[:3] == [sys.executable, "-m", "snakemake"]:
        return _run_fork(command, folder, timeout)
    with started(command, folder, subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, output)


@functools.cache
def _server():
    """A process that has imported snakemake: its forks need not, which is half of a dry run's time."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["snakemake.cli"])
    return server


def _snakemake(arguments, folder, environment, output):
    """Be `python -m snakemake` in a fork, until the process ends."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream in (1, 2):
        os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND), stream)
    sys.stdout.reconfigure(line_buffering=True)
    sys.argv = [*arguments]
    sys.path[0] = str(folder)
    importlib.import_module("snakemake.cli").main(arguments[1:])


def _run_fork(command, folder, timeout):
    with tempfile.NamedTemporaryFile(mode="r") as output:
        process = _server().Process(target=_snakemake, args=(command[2:], folder, environment(), output.name))
        process.start()
        process.join(timeout)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return subprocess.CompletedProcess(command, process.exitcode, output.read())


@contextlib.contextmanager
def started(command, folder, stdout=subprocess.DEVNULL):
    """Start a command in a process group of its own, and kill what is left of it in the end."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT if stdout is subprocess.PIPE else stdout,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)
        if process.stdout:
            process.stdout.close()


def kill(process):
    """Kill -9 a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_JOB = re.compile(r"^\[.*\]\n(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)*)", re.MULTILINE)
_WILDCARDS = re.compile(r"^    wildcards: (.*)$", re.MULTILINE)
_TOTAL = re.compile(r"^total +(\d+)$", re.MULTILINE)


def jobs(output):
    """Read the jobs from the output of a dry run, and hold them against its own count."""
    found = []
    for rule, block in _JOB.findall(output):
        wildcards = _WILDCARDS.search(block)
        values = [part.split("=", 1)[1] for part in wildcards[1].split(", ")] if wildcards else []
        found.append(" ".join([rule, *values]))
    total = _TOTAL.search(output)
    assert len(found) == (int(total[1]) if total else 0), output
    assert len(set(found)) == len(found)
    return set(found)


def refusal(study, *arguments):
    """Run snakemake, which must fail and leave nothing half-written, and return what it said."""
    done = study.snakemake(*arguments)
    assert done.returncode != 0, done.stdout
    assert "Traceback (most recent call last)" not in done.stdout
    assert not study.leftovers()
    return done.stdout


def assert_one_line(output, *words):
    """Some line has all these words."""
    assert any(all(word in line for word in words) for line in output.splitlines()), output


def assert_only_line(output, *words):
    """The one line with all these words is all that is said, once, besides how snakemake opens every run."""
    lines = [line for line in output.splitlines() if line.strip()]
    opening = ("Using workflow specific profile ", "Config file ", "host: ", "Building DAG of jobs...")
    ours = [line for line in lines if not line.startswith(opening)]
    assert len(ours) == 1, output
    assert ours[0].startswith("texalign: "), output
    assert_one_line(ours[0], *words)


def make_photographs(folder, classes=3, per_class=4, size=24):
    """A folder of classes of noise, each with its own grain."""
    rng = np.random.default_rng(0)
    for grain in range(1, classes + 1):
        for i in range(per_class):
            noise = rng.integers(0, 256, (size // grain, size // grain, 3), np.uint8)
            path = folder / f"grain{grain}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).resize((size, size), Image.Resampling.NEAREST).save(path)
    return folder
