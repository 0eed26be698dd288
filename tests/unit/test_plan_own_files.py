"""Files of one's own: they are there, and count by their content."""

import pytest

from texalign import InputError
from texalign.plan import content, own_files


def config(labels=None, path=None):
    return {"decoding": {"labels": labels}, "human": {"references": {"mine": {"path": path}}}}


def test_a_file_that_is_not_there_is_told_with_its_key(tmp_path):
    own_files.check(config(), "mine.yaml")
    (tmp_path / "labels.csv").touch()
    own_files.check(config(str(tmp_path / "labels.csv")), "mine.yaml")
    with pytest.raises(
        InputError, match=r"mine.yaml: decoding: labels: nowhere.csv: no such file; correct the path"
    ):
        own_files.check(config("nowhere.csv"), "mine.yaml")
    with pytest.raises(InputError, match=r"mine.yaml: human: references: mine: path: gone.csv: no such file"):
        own_files.check(config(path="gone.csv"), "mine.yaml")


def test_files_count_by_their_content(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,label")
    assert own_files.digest(path, content.Hashes()) == content.sha256(path)
    assert own_files.digest(None, content.Hashes()) is None
