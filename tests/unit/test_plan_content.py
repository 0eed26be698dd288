"""What files hold, by hashes that are remembered."""

import hashlib
import os

import pytest

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
