"""Image sets: what is listed, in what order, and how it is read."""

import logging
import os
import subprocess
import sys
import tracemalloc
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from texalign import InputError
from texalign.images import textures

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "shared/data/dtd-sample"


@pytest.fixture
def tree(tmp_path):
    """Make `<class>/<name>` files, small grey pictures unless content is given."""

    def make(*names, content=None):
        for name in names:
            file = tmp_path / "set" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                Image.new("RGB", (8, 6), (100, 110, 120)).save(file, format="PNG")
            else:
                file.write_bytes(content)
        return tmp_path / "set"

    return make


def photographs_of(classes, per_class):
    return [f"c{c}/{i:02d}.png" for c in range(classes) for i in range(per_class)]


def test_folder_lists_by_class_then_file(tree):
    images = textures.folder(tree("b/10.png", "b/9.png", "a/Z.png", "a/y.PNG", "a b/1.png", "a b/2.png"))
    assert images.files == ("a/Z.png", "a/y.PNG", "a b/1.png", "a b/2.png", "b/10.png", "b/9.png")
    assert images.classes == ("a", "a", "a b", "a b", "b", "b")
    assert len(images) == 6
    assert (images.read(3, 5) == (100, 110, 120)).all()


def test_keys_are_the_same_whatever_unicode_form_the_disk_has(tree):
    decomposed = unicodedata.normalize("NFD", "rugueux-é")
    images = textures.folder(tree(f"{decomposed}/é1.png", f"{decomposed}/2.png", "a/1.png", "a/2.png"))
    assert unicodedata.normalize("NFC", decomposed) in images.classes
    assert all(unicodedata.is_normalized("NFC", key) for key in images.files)
    assert images.read(3, 4).shape == (4, 4, 3)


def test_other_files_are_named_in_one_warning(tree, caplog):
    tree("a/notes.txt", "b/Thumbs.db", "top.png", "b/deep/1.png", content=b"x")
    tree("a/.DS_Store", ".hidden/x.png", content=b"x")
    with caplog.at_level(logging.WARNING):
        images = textures.folder(tree(*["a/1.png", "a/2.png", "b/1.jpg", "b/2.jpg"]))
    assert len(images) == 4
    (record,) = caplog.records
    message = record.getMessage()
    assert "top.png" in message
    assert "notes.txt" in message
    assert "skipped 4 files" in message
    assert "and 1 more" in message
    assert ".webp" in message
    assert "DS_Store" not in message


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no such folder"),
        (["top.png"], "0 class folders; at least 2"),
        (["a/1.png", "a/2.png"], "1 class folders; at least 2"),
        (["a/1.png", "a/2.png", "lone/1.png"], r"lone: 1 images; a class needs at least 2"),
        (["a/1.png", "a/2.png", "none/.keep"], r"none: 0 images"),
        (
            ["Banded/1.png", "Banded/2.png", "banded/1.png", "banded/2.png"],
            r"banded: has the name of 'Banded'",
        ),
        (["a/X.png", "a/x.PNG", "b/1.png", "b/2.png"], r"x\.PNG: has the name of 'X\.png'"),
        (["a/\u00e9.png", "a/e\u0301.png", "b/1.png", "b/2.png"], "has the name of .* Unicode"),
        (["strasse/1.png", "strasse/2.png", "straße/1.png", "straße/2.png"], "has the name of 'strasse'"),
    ],
)
def test_unusable_folders_are_refused(tree, tmp_path, names, message):
    tree(*names)
    with pytest.raises(InputError, match=message) as caught:
        textures.folder(tmp_path / "set")
    assert "\n" not in str(caught.value)


def test_a_name_that_is_not_unicode_is_refused(tree):
    path = tree("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    try:
        os.rename(os.fsencode(path / "a/1.png"), os.fsencode(path) + b"/a/\xff.png")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with pytest.raises(InputError, match="not valid Unicode"):
        textures.folder(path)


def test_a_larger_cap_keeps_what_a_smaller_one_does(tree):
    path = tree(*photographs_of(3, 12))
    kept = [set(textures.folder(path, n, seed=5).files) for n in (2, 3, 7, 12, 50)]
    assert [len(files) for files in kept] == [6, 9, 21, 36, 36]
    assert all(small <= large for small, large in pairwise(kept))
    assert set(textures.folder(path, 2, seed=6).files) != kept[0]
    assert list(textures.folder(path, 7, seed=5).files) == sorted(kept[2])


def test_a_cap_does_not_depend_on_the_other_classes(tree):
    path = tree(*photographs_of(2, 12))
    before = textures.folder(path, 4).files
    tree(*photographs_of(5, 12))
    assert textures.folder(path, 4).files[:8] == before


def test_a_cap_of_one_is_refused(tree):
    with pytest.raises(InputError, match=r"dataset\.per_class: 1 given"):
        textures.folder(tree(*photographs_of(2, 3)), 1)


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (5, 2), (64, 3)])
def test_blocks_come_in_order(batch, threads):
    images = textures.procedural(4, 3)
    starts, parts = zip(*textures.blocks(images, 24, batch, threads), strict=True)
    assert list(starts) == list(range(0, 12, batch))
    np.testing.assert_array_equal(np.concatenate(parts), [images.read(i, 24) for i in range(12)])


def test_a_run_decodes_each_image_once(tree, monkeypatch):
    names = photographs_of(3, 5)
    path, opened, decode = tree(*names), [], textures.decode
    monkeypatch.setattr(textures, "decode", lambda file, size: opened.append(str(file)) or decode(file, size))
    images = textures.load("folder", path)
    for _ in textures.blocks(images, 16, batch=4, threads=2):
        pass
    assert sorted(opened) == sorted(str(path / name) for name in names)


def test_blocks_hold_one_batch_in_memory():
    images = textures.procedural(2, 100)
    tracemalloc.start()
    for _ in textures.blocks(images, 64, batch=4):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.7 * len(images) * 64 * 64 * 3


def test_blocks_name_the_broken_image(tree):
    tree("a/3.png", content=b"")
    with pytest.raises(InputError, match=r"3\.png"):
        list(textures.blocks(textures.folder(tree("a/1.png", "a/2.png", "b/1.png", "b/2.png")), 8, threads=2))


def test_load_sends_each_source_its_way(tree):
    path = tree(*photographs_of(2, 4))
    assert textures.load("folder", path, per_class=2, seed=3).files == textures.folder(path, 2, 3).files
    assert textures.load("procedural", classes=3, per_class=2).files == textures.procedural(3, 2).files
    assert Counter(textures.load("procedural").classes).most_common()[-1][1] == 20
    with pytest.raises(
        InputError, match=r"DTD has 47 classes with 120 images each, found 2 classes \(4 in c0"
    ):
        textures.load("dtd", path, per_class=2)


def test_load_refuses_what_it_does_not_know():
    with pytest.raises(
        InputError, match=r"dataset\.source: 'flickr' is unknown; allowed: dtd, folder, procedural"
    ):
        textures.load("flickr")
    with pytest.raises(InputError, match=r"dataset\.path: missing"):
        textures.load("folder")


def test_torch_is_not_imported():
    code = (
        "import sys, texalign.images.textures, texalign.download; "
        "sys.exit(not {'torch', 'h5py'}.isdisjoint(sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_procedural_is_the_same_twice_and_another_with_another_seed():
    one, same, other = (textures.procedural(20, 2, seed) for seed in (3, 3, 4))
    for i in range(len(one)):
        np.testing.assert_array_equal(one.read(i, 32), same.read(i, 32))
        assert (one.read(i, 32) != other.read(i, 32)).any()


def test_asking_for_more_changes_nothing_that_was_there():
    few, many = textures.procedural(12, 2), textures.procedural(47, 5)
    position = {key: i for i, key in enumerate(many.files)}
    assert set(few.files) <= set(position)
    for i, key in enumerate(few.files):
        np.testing.assert_array_equal(few.read(i, 16), many.read(position[key], 16))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 440), st.integers(2, 4), st.integers(0, 2**40))
def test_any_number_of_classes_has_distinct_sorted_names(classes, per_class, seed):
    images = textures.procedural(classes, per_class, seed)
    assert len(set(images.classes)) == classes
    assert set(Counter(images.classes).values()) == {per_class}
    assert list(zip(images.classes, images.files, strict=True)) == sorted(
        zip(images.classes, images.files, strict=True)
    )
    assert images.read(seed % len(images), 8).shape == (8, 8, 3)


@pytest.mark.parametrize("arguments", [(1, 5), (441, 5), (5, 1), (5, 5, -1)])
def test_procedural_refuses_numbers_out_of_range(arguments):
    with pytest.raises(InputError, match=r"dataset\.(classes|per_class|seed): -?\d+ given"):
        textures.procedural(*arguments)


@pytest.mark.photographs
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason=f"no photographs at {PHOTOGRAPHS}")
def test_real_photographs_are_read_as_torchvision_reads_them():
    images = textures.load("folder", PHOTOGRAPHS, per_class=2)
    assert len(images) == 14
    assert len(textures.folder(PHOTOGRAPHS)) == 420
    for start, block in textures.blocks(images, 224, batch=4, threads=2):
        for offset, image in enumerate(block):
            with Image.open(PHOTOGRAPHS / images.files[start + offset]) as photograph:
                expected = photograph.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
            np.testing.assert_array_equal(image, expected)


def test_images_that_are_almost_constant_are_named_in_one_warning(tmp_path, caplog):
    rng = np.random.default_rng(0)
    for name in ("a/1", "a/2", "b/1", "b/2", "b/3", "b/4"):
        file = tmp_path / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        noise = rng.integers(0, 256, (16, 16), np.uint8)
        Image.fromarray(noise if name == "a/1" else noise // 64).save(file)
    images = textures.folder(tmp_path)
    assert len(list(textures.blocks(images, 16, batch=2))) == 3
    (record,) = caplog.records
    assert (
        "5 of 6 images are (almost) constant, as a/2.png, b/1.png, b/2.png and 2 more" in record.getMessage()
    )
