"""Files that appear whole or not at all."""

import contextlib
import errno
import os

import pytest

from texalign import InputError, files


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_whole_leaves_the_old_file_when_the_block_fails(tmp_path):
    file = tmp_path / "odd[1].txt"
    file.write_text("old")
    (tmp_path / ".writing-1-odd[1].txt").write_text("of a killed job")
    with contextlib.suppress(KeyError), files.whole(file) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert file.read_text() == "old"
    assert listing(tmp_path) == ["odd[1].txt"]


def test_a_full_disk_is_told(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with (
        pytest.raises(InputError, match=r"x\.bin: no space left on the disk"),
        files.whole(tmp_path / "x.bin"),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "denied"), RuntimeError("another")])
def test_other_errors_pass(tmp_path, error):
    with pytest.raises(type(error)) as passed, files.whole(tmp_path / "a"):
        raise error
    assert passed.value is error
