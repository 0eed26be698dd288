"""The lists of versions, and what is made from them: conda environments and lock files."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
spec = importlib.util.spec_from_file_location("write_yaml", ENVS / "write_yaml.py")
write_yaml = importlib.util.module_from_spec(spec)
spec.loader.exec_module(write_yaml)

#: What each index has its own builds of, and what comes with them alone.
TORCH = re.compile(r"(torch|torchvision|triton|nvidia-.*|cuda-.*)")


def versions(lines):
    """Name to version of pinned requirements; a requirement that is not pinned is an error here."""
    found = {}
    for requirement in map(Requirement, lines):
        (pin,) = requirement.specifier
        assert pin.operator == "==", f"{requirement}: not pinned"
        assert "*" not in pin.version, f"{requirement}: not pinned"
        found[canonicalize_name(requirement.name)] = pin.version
    return found


def listed(name):
    return versions(write_yaml.pins(ENVS / name))


def locked(name):
    """Name to version and hashes of a lock file."""
    text = (ENVS / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = [line.split(" --hash=")[0] for line in lines]
    hashes = [re.findall(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines]
    found = versions(pins)
    assert len(found) == len(pins), f"{name}: a package has several versions"
    return found, dict(zip(found, hashes, strict=True))


@pytest.mark.parametrize("file", write_yaml.LISTS)
def test_environment_is_what_its_list_says(file):
    text = (ENVS / file).read_text()
    assert text == write_yaml.environment(write_yaml.LISTS[file]), f"envs/{file}: run `make envs`"


@pytest.mark.parametrize("file", sorted(path.name for path in ENVS.glob("*.yaml")))
def test_environment_alone_is_complete(file, tmp_path):
    shutil.copy(ENVS / file, tmp_path / file)
    environment = yaml.safe_load((tmp_path / file).read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *conda, pip = environment["dependencies"]
    assert all(isinstance(package, str) for package in conda)
    assert list(pip) == ["pip"]
    # An option or a path would be an invalid requirement, and a list of no packages an error of pip.
    assert versions(pip["pip"])
    assert not any(Requirement(line).url for line in pip["pip"])


@pytest.mark.parametrize(
    ("name", "lock"),
    [("requirements.txt", "lock.txt"), ("dev.txt", "lock-dev.txt"), ("docs.txt", "lock-docs.txt")],
)
def test_lock_holds_every_pin_with_hashes(name, lock):
    pins = {package: version for package, version in listed(name).items() if not TORCH.fullmatch(package)}
    found, hashes = locked(lock)
    assert pins == {package: found.get(package) for package in pins}, f"envs/{lock}: run `make lock`"
    assert all(hashes.values())


def test_lock_leaves_torch_to_the_index():
    found = locked("lock.txt")[0] | locked("lock-dev.txt")[0]
    assert not [package for package in found if TORCH.fullmatch(package)]
    assert {"torch", "torchvision"} <= listed("requirements.txt").keys()


def test_cluster_plugins_are_among_the_developers_packages():
    assert listed("cluster.txt").items() <= listed("dev.txt").items()


def test_locks_that_share_an_environment_agree():
    study, dev = locked("lock.txt")[0], locked("lock-dev.txt")[0]
    both = study.keys() & dev.keys()
    assert {name: study[name] for name in both} == {name: dev[name] for name in both}


def test_the_study_needs_no_test_packages():
    assert not {"pytest", "ruff", "snakefmt", "hypothesis"} & locked("lock.txt")[0].keys()


def test_pins_satisfy_the_floors_of_the_package():
    """What is tested is what pip may install: every dependency is pinned, and its pin allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for group, name in {
        "workflow": "requirements.txt",
        "cluster": "cluster.txt",
        "test": "dev.txt",
        "docs": "docs.txt",
        "plenoptic": "plenoptic.txt",
        "timm": "timm.txt",
    }.items():
        pins = listed(name)
        floors = extras[group] + (project["dependencies"] if group == "workflow" else [])
        for floor in map(Requirement, floors):
            assert floor.specifier.contains(pins[canonicalize_name(floor.name)]), f"{group}: {floor}"


@pytest.fixture
def make_in(tmp_path):
    """`make help` in a folder of that name, as from a terminal, not as a child of `make test`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    if not shutil.which("make"):
        pytest.skip("make is not installed")

    def run(name):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        return subprocess.run(
            ["make", "help"], cwd=folder, env=env, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize("name", ["a b", "a:b", "a$b", "it's", "a%b", "a#b", "{a}", "a[1]", "a\\b", "a;b"])
def test_make_refuses_a_path_that_breaks_its_tools(make_in, name):
    run = make_in(name)
    assert run.returncode == 2
    assert not run.stdout
    (line,) = run.stderr.splitlines()
    assert "texalign cannot work in this folder" in line
    assert name in line


@pytest.mark.parametrize("name", ["plain", "Jürgen_2.0+x@y-z"])
def test_make_works_in_other_paths(make_in, name):
    run = make_in(name)
    assert run.returncode == 0, run.stderr
    assert "make demo" in run.stdout


def test_environments_are_written_from_any_folder(tmp_path):
    """The script finds its lists beside itself, and writes there."""
    shutil.copytree(ENVS, tmp_path / "envs")
    (tmp_path / "envs/texalign.yaml").write_text("")
    subprocess.run([sys.executable, tmp_path / "envs/write_yaml.py"], cwd="/", check=True)
    assert (tmp_path / "envs/texalign.yaml").read_text() == (ENVS / "texalign.yaml").read_text()
