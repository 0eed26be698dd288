"""The images of a study, as far as a plan has to know them."""

import pytest

from texalign import InputError, formats
from texalign.images import textures
from texalign.plan import content, dataset


def source(kind, **keys):
    return {"source": kind, "path": None, "classes": None, "per_class": None, "seed": 0} | keys


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.PNG", "a/1.jpg", "a/3.pgm", "a/.4.png", "a/notes.txt", ".c/5.png", "6.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("described", "n"),
    [
        (source("dtd"), 47 * 120),
        (source("dtd", per_class=30), 47 * 30),
        (source("dtd", per_class=500), 47 * 120),
        (source("procedural", classes=3, per_class=4), 12),
        (source("procedural"), 240),
    ],
)
def test_how_many_images_there_are(described, n):
    assert dataset.count(described) == n


def test_the_defaults_of_procedural_textures_are_those_of_the_images():
    images = textures.load_dataset(source("procedural"))
    assert len(images) == dataset.count(source("procedural"))


def test_a_folder_is_counted_under_the_cap(folder):
    assert dataset.count(source("folder", path=str(folder), per_class=1)) == 2


def test_images_are_known_by_their_suffix(folder):
    assert dataset.images(folder) == ["a/1.jpg", "a/3.pgm", "b/2.PNG"]
    for suffix in formats.SUFFIXES:
        (folder / f"b/x{suffix}").write_bytes(b"")
    assert len(dataset.images(folder)) == 3 + len(formats.SUFFIXES)


@pytest.mark.parametrize(
    ("described", "k", "words"),
    [
        (source("folder"), [], "c: dataset: path: None is no folder"),
        (source("folder", path="nowhere"), [], "c: dataset: path: 'nowhere' is no folder"),
        (source("procedural", classes=2, per_class=3), [2, 7], r"c: clustering: k: 7 clusters of 6 images"),
    ],
)
def test_a_wrong_image_set_is_told(described, k, words):
    with pytest.raises(InputError, match=words):
        dataset.check({"dataset": described, "clustering": {"k": k}}, "c")


def test_as_many_clusters_as_images_are_possible():
    described = source("procedural", classes=2, per_class=3)
    dataset.check({"dataset": described, "clustering": {"k": [6]}}, "c")


def test_only_a_folder_of_ones_own_has_a_fingerprint(folder):
    hashes = content.Hashes(folder / ".memory.json")
    assert dataset.fingerprint(source("dtd"), hashes) is None
    assert dataset.fingerprint(source("procedural"), hashes) is None
    assert len(dataset.fingerprint(source("folder", path=str(folder)), hashes)) == 16
