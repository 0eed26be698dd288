"""What files hold, by hashes that are remembered."""

import hashlib
import os
import stat

import pytest

from texalign import InputError
from texalign.plan import content


@pytest.fixture
def folder(tmp_path):
    for name, text in (("b/2.png", "two"), ("a/1.png", "one"), ("a/.hidden", "no"), ("note.txt", "n")):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(text)
    return tmp_path / "set"


def memory(folder):
    return content.Hashes(folder.parent / "memory/hashes.json")


def test_the_hash_of_a_file_is_its_sha256(folder):
    assert memory(folder).of(folder / "a/1.png") == hashlib.sha256(b"one").hexdigest()


def test_a_known_file_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr(content, "YOUNG", 0)
    hashes = memory(folder)
    first = content.of_tree(folder, hashes)

    def read(*args):
        raise AssertionError("a file was read again")

    monkeypatch.setattr(hashlib, "file_digest", read)
    assert content.of_tree(folder, memory(folder)) == first
    (folder / "a/3.png").write_text("three")
    with pytest.raises(AssertionError, match="read again"):
        content.of_tree(folder, memory(folder))


def test_a_touched_file_is_the_same(folder):
    first = content.of_tree(folder, memory(folder))
    os.utime(folder / "a/1.png", (1, 1))
    assert content.of_tree(folder, memory(folder)) == first


def test_an_older_file_of_the_same_size_in_its_place_is_noticed(folder):
    first = content.of_tree(folder, memory(folder))
    other = folder.parent / "other"
    other.write_text("eno")
    os.utime(other, (1, 1))
    os.replace(other, folder / "a/1.png")
    assert content.of_tree(folder, memory(folder)) != first


def test_a_file_rewritten_with_its_old_date_is_noticed(folder):
    """The time of the last change cannot be set back."""
    path, hashes = folder / "a/1.png", memory(folder)
    first, status = hashes.of(path), path.stat()
    path.write_text("eno")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert hashes.of(path) != first


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a/3.png").write_text("three"),
        lambda folder: (folder / "a/1.png").unlink(),
        lambda folder: (folder / "a/1.png").rename(folder / "a/0.png"),
        lambda folder: (folder / "a/1.png").rename(folder / "b/1.png"),
        lambda folder: (folder / "a/1.png").write_text("eno"),
        lambda folder: (folder / "note.txt").write_text("other"),
    ],
)
def test_what_changes_a_tree(folder, change):
    first = content.of_tree(folder, memory(folder))
    change(folder)
    assert content.of_tree(folder, memory(folder)) != first


def test_hidden_files_and_the_place_of_the_tree_do_not_count(folder):
    first = content.of_tree(folder, memory(folder))
    (folder / "a/.hidden").write_text("other")
    (folder / ".cache").mkdir()
    moved = folder.rename(folder.parent / "moved")
    assert content.of_tree(moved, memory(folder)) == first


def test_a_missing_tree_and_a_spoilt_memory_are_no_errors(folder):
    assert content.of_tree(folder / "nowhere", memory(folder)) == "absent"
    first = content.of_tree(folder, memory(folder))
    (folder.parent / "memory/hashes.json").write_text("{")
    assert content.of_tree(folder, memory(folder)) == first
    # Where the memory cannot be written, hashes are taken again.
    (folder.parent / "file").write_text("")
    assert content.of_tree(folder, content.Hashes(folder.parent / "file/hashes.json")) == first


def test_links_that_lead_nowhere_or_in_circles_do_not_stop_a_plan(tmp_path):
    (tmp_path / "set/a").mkdir(parents=True)
    (tmp_path / "set/a/1.png").write_bytes(b"1")
    before = content.of_tree(tmp_path / "set", content.Hashes(tmp_path / "hashes"))
    for link, target in (
        ("set/self", "self"),
        ("set/a/self.png", "self.png"),
        ("set/up", ".."),
        ("set/b", "gone"),
    ):
        (tmp_path / link).symlink_to(target)
        after = content.of_tree(tmp_path / "set", content.Hashes(tmp_path / "hashes"))
        assert after != before
        before = after


def test_a_file_changed_again_within_a_tick_of_the_clock_is_noticed(folder, monkeypatch):
    """With all its times as before: so the hash of a young file is not kept."""
    path, real = folder / "a/1.png", os.stat
    frozen = real(path)
    monkeypatch.setattr(os, "stat", lambda file, **_: frozen if file == path else real(file))
    hashes = memory(folder)
    first = hashes.of(path)
    hashes.save()
    path.write_text("eno")
    assert memory(folder).of(path) != first


@pytest.mark.parametrize("text", ["[]", "null", "3", '"x"', "{"])
def test_a_memory_that_is_none_is_made_anew(folder, text):
    hashes = memory(folder)
    hashes.memory.parent.mkdir()
    hashes.memory.write_text(text)
    assert memory(folder).of(folder / "a/1.png") == hashlib.sha256(b"one").hexdigest()


def damage_unseen(path):
    """Flip a bit below the file system: no time tells."""
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


def test_what_was_decoded_must_be_what_was_planned(folder, monkeypatch):
    monkeypatch.setattr(content, "YOUNG", 0)
    hashes = memory(folder)
    planned = content.of_tree(folder, hashes)
    content.check_any(folder, planned)
    content.check_any(None, planned)
    known = hashes.of(folder / "a/1.png")
    content.check_any(folder / "a/1.png", known)
    content.check_any(folder / "a/1.png", None)
    damage_unseen(folder / "a/1.png")
    with pytest.raises(InputError, match=rf"{folder}/a/1\.png: not what it was when this run was planned"):
        content.check_tree(folder, planned, hashes.memory)
    with pytest.raises(InputError, match=rf"{folder}/a/1\.png: not what it was .*`touch` it"):
        content.check_any(folder / "a/1.png", known)


def test_images_removed_while_they_are_decoded_are_noticed(folder):
    planned = content.of_tree(folder, memory(folder))
    (folder / "a/1.png").unlink()
    with pytest.raises(InputError, match=f"{folder}: not what it was"):
        content.check_any(folder, planned)


def test_hashes_without_a_memory_write_nowhere(folder):
    """Not to the null device either, which a rename would replace."""
    before = sorted(folder.parent.rglob("*"))
    content.check_tree(folder, content.of_tree(folder, content.Hashes()))
    assert sorted(folder.parent.rglob("*")) == before
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
