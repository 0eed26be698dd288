"""Checkpoints: the same state back, or none with the reason in one line."""

import json
import logging
import math
import random

import pytest
import torch

from texalign import InputError, checkpoint

IDENTITY = {"method": "descent", "seed": 3, "size": (24, 16), "settings": {"history": 7, "rate": None}}


def state():
    """All kinds of values that a job keeps."""
    generator = torch.Generator().manual_seed(0)
    return {
        "point": torch.randn(3, 5, 4, generator=generator),
        "half": torch.randn(4, generator=generator).to(torch.bfloat16),
        "whole": torch.arange(6, dtype=torch.uint8).reshape(2, 3),
        "optimizer": {"state": {0: {"old_dirs": [torch.ones(2)], "al": [None] * 3, "t": 1}}, "groups": [{}]},
        "best": (torch.zeros(2), [0.25, 1e-300]),
        "restarted_at": math.inf,
        "done": False,
        "note": "é\n",
    }


def assert_same(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert_same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert ours == theirs


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run" / "image.checkpoint"
    checkpoint.save(path, IDENTITY, state())
    return path


def told(caplog, path):
    """The one line that says why the work starts anew."""
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert message.startswith(f"{path}: ")
    assert message.endswith("; starting anew")
    assert "\n" not in message
    return message


def test_the_same_state_comes_back(path, caplog):
    for identity in (IDENTITY, IDENTITY | {"size": [24, 16]}, dict(reversed(IDENTITY.items()))):
        assert_same(checkpoint.load(path, identity), state())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert not caplog.records


def test_a_new_state_replaces_the_old(path):
    checkpoint.save(path, IDENTITY | {"seed": 4}, {"step": 2})
    assert checkpoint.load(path, IDENTITY | {"seed": 4}) == {"step": 2}


def test_no_file_is_no_state_and_nothing_to_tell(tmp_path, caplog):
    assert checkpoint.load(None, IDENTITY) is None
    assert checkpoint.load(tmp_path / "absent", IDENTITY) is None
    assert not caplog.records


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (IDENTITY | {"seed": 4}, "seed"),
        (IDENTITY | {"size": (16, 24)}, "size"),
        (IDENTITY | {"settings": {"history": 8, "rate": None}}, "settings"),
        (IDENTITY | {"seed": 4, "method": "statistics"}, "method, seed"),
        (IDENTITY | {"code": "ab"}, "code"),
        ({"method": "descent"}, "seed, settings, size"),
        # Nothing is not the same as a value that is none.
        (IDENTITY | {"more": None}, "more"),
    ],
)
def test_the_state_of_another_job_is_not_gone_on_with(path, caplog, other, named):
    assert checkpoint.load(path, other) is None
    assert told(caplog, path) == f"{path}: made with other {named}; starting anew"


def flipped(content, seed, first=0, last=None):
    """The same bytes but for one bit."""
    generator, content = random.Random(seed), bytearray(content)
    content[generator.randrange(first, last or len(content))] ^= 1 << generator.randrange(8)
    return bytes(content)


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_bit_is_noticed_in_the_state_and_in_the_head(path, caplog, seed):
    content = path.read_bytes()
    start = content.index(b"\n") + 1
    path.write_bytes(flipped(content, seed, start))
    assert checkpoint.load(path, IDENTITY) is None
    assert "its checksum is wrong" in told(caplog, path)
    caplog.clear()
    path.write_bytes(flipped(content, seed, 0, start))
    assert checkpoint.load(path, IDENTITY) is None
    told(caplog, path)


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.999])
def test_a_file_that_was_cut_short_is_noticed(path, caplog, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert checkpoint.load(path, IDENTITY) is None
    assert "cannot be read" in told(caplog, path)


@pytest.mark.parametrize(
    "content", [b"\n", b"{}\n", b"[]\n", b"null\n", b"PK\x03\x04", b"\xff\xfe\n", b"1\n2\n3"]
)
def test_what_is_no_checkpoint_is_not_gone_on_with(path, caplog, content):
    path.write_bytes(content)
    assert checkpoint.load(path, IDENTITY) is None
    assert "cannot be read" in told(caplog, path)


def test_a_folder_in_its_place_is_told(tmp_path, caplog):
    assert checkpoint.load(tmp_path, IDENTITY) is None
    told(caplog, tmp_path)


def test_another_format_is_told(path, caplog):
    head, _, payload = path.read_bytes().partition(b"\n")
    head = json.dumps(json.loads(head) | {"format": "texalign checkpoint 0"}).encode()
    path.write_bytes(head + b"\n" + payload)
    assert checkpoint.load(path, IDENTITY) is None
    assert checkpoint.FORMAT in told(caplog, path)


class Malicious:
    def __reduce__(self):
        return pytest.fail, ("the code was run",)


def test_code_in_a_checkpoint_is_not_run(tmp_path, caplog):
    """With a checksum that is right: the unpickler builds tensors and plain values, nothing else."""
    checkpoint.save(tmp_path / "x", IDENTITY, {"point": Malicious()})
    assert checkpoint.load(tmp_path / "x", IDENTITY) is None
    assert "UnpicklingError" in told(caplog, tmp_path / "x")


def test_a_save_that_fails_leaves_the_old_state(path, monkeypatch):
    with pytest.raises(TypeError):
        checkpoint.save(path, IDENTITY | {"seed": object()}, {"step": 1})
    assert_same(checkpoint.load(path, IDENTITY), state())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_full_disk_is_one_line_and_the_old_state_stays(small_disk):
    path = small_disk / "image.checkpoint"
    checkpoint.save(path, IDENTITY, {"step": 1})
    for size in (70_000, 250_000, 2_000_000):
        with pytest.raises(InputError, match=f"{path}: no space left on the disk") as told:
            checkpoint.save(path, IDENTITY, {"point": torch.ones(size)})
        assert "\n" not in str(told.value)
        assert checkpoint.load(path, IDENTITY) == {"step": 1}
        assert [file.name for file in small_disk.iterdir()] == [path.name]
