"""The public faces of the library: every name is there, and nothing is loaded before it is used."""

import importlib
import pkgutil
import subprocess
import sys
import types
from importlib import metadata

import pytest

import texalign

MODULES = [module.name for module in pkgutil.walk_packages(texalign.__path__, "texalign.")]
#: Rooms that show their functions without loading them.
ROOMS = [name for name in MODULES if hasattr(importlib.import_module(name), "_FACE")]
NAMES = [(room, name) for room in ROOMS for name in importlib.import_module(room)._FACE]


@pytest.mark.parametrize("name", texalign._FACE)
def test_every_room_of_the_library_is_there(name):
    assert getattr(texalign, name).__name__ == texalign._FACE[name]


def test_the_library_tells_its_version_and_its_names():
    assert texalign.__version__ == metadata.version("texalign")
    assert set(dir(texalign)) == {"InputError", "__version__", *texalign._FACE}
    with pytest.raises(AttributeError, match=r"'texalign' has no attribute 'grams'"):
        texalign.grams  # noqa: B018


@pytest.mark.parametrize(("room", "name"), NAMES)
def test_every_name_of_a_room_is_there(room, name):
    """Also when all modules of the room are loaded: a module of the same name would be in its place."""
    found, module = getattr(importlib.import_module(room), name), importlib.import_module(room)._FACE[name]
    assert not isinstance(found, types.ModuleType)
    assert found is getattr(importlib.import_module(f"{room}.{module}"), name)
    assert found.__module__ == f"{room}.{module}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_its_names_and_refuses_others(room):
    module = importlib.import_module(room)
    assert dir(module) == sorted(module.__all__) == sorted(module._FACE)
    with pytest.raises(AttributeError, match=rf"'{room}' has no attribute 'no_such_name'"):
        module.no_such_name  # noqa: B018


def loaded(code):
    """Names of the packages that a new process has loaded after some code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("room", ["texalign", *ROOMS])
def test_nothing_is_loaded_before_it_is_used(room):
    packages = loaded(f"import {room}, texalign; texalign.InputError, texalign.__version__, dir({room})")
    assert "texalign" in packages
    assert packages.isdisjoint({"numpy", "torch", "scipy", "pandas", "h5py", "PIL", "matplotlib", "numba"})


def test_what_is_used_is_loaded():
    packages = loaded("import texalign; texalign.information.nsb_entropy([1, 2])")
    assert {"numpy", "scipy"} <= packages
    assert "torch" not in packages
