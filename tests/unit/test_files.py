"""Files that appear whole or not at all."""

import contextlib
import errno
import fcntl
import os
import time

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


# ---------------------------------------------------------------- two jobs, one folder


def test_two_writers_of_one_file_let_each_other_be(tmp_path):
    """Each in its own temporary file; the last one to end has the name."""
    with files.whole(tmp_path / "x") as first:
        first.write_text("first")
        with files.whole(tmp_path / "x") as second:
            assert first.read_text() == "first"
            assert second != first
            second.write_text("second")
        assert (tmp_path / "x").read_text() == "second"
    assert (tmp_path / "x").read_text() == "first"
    assert listing(tmp_path) == ["x"]


def test_two_that_fill_one_folder_keep_the_first(tmp_path):
    with files.whole_folder(tmp_path / "x") as first:
        (first / "a").write_text("first")
        with files.whole_folder(tmp_path / "x") as second:
            (second / "a").write_text("second")
            assert (first / "a").exists()
    assert (tmp_path / "x/a").read_text() == "second"
    assert listing(tmp_path) == ["x"]


@pytest.mark.parametrize("make", [lambda path: path.touch(), lambda path: (path / "in").mkdir(parents=True)])
def test_what_a_killed_job_left_is_cleared(tmp_path, make):
    make(tmp_path / ".writing-123-x")
    with files.whole(tmp_path / "x"):
        assert len(listing(tmp_path)) == 1
    assert listing(tmp_path) == ["x"]


def test_on_a_disk_without_locks_age_tells_the_dead(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    for number, age in ((1, 60), (2, 2 * files.DEAD)):
        (tmp_path / f".writing-{number}-x").touch()
        os.utime(tmp_path / f".writing-{number}-x", (time.time() - age,) * 2)
    with files.whole(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert listing(tmp_path) == [".writing-1-x", "x"]


def test_a_file_that_was_cleared_before_its_lock_is_made_again(tmp_path):
    made = []

    def make(path):
        path.touch()
        made.append(path)
        if len(made) == 1:
            path.unlink()  # by another job, in this moment

    with files._temporary(tmp_path / "x", make) as temporary:
        assert temporary == made[1]
        assert temporary.exists()
