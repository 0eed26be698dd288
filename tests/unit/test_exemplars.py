"""The textures that images are synthesised from, found by their names, and their classmates."""

import numpy as np
import pytest
from PIL import Image

from texalign import InputError
from texalign.images import exemplars, textures


@pytest.mark.parametrize(("size", "shape"), [(8, (8, 8, 3)), ((5, 9), (5, 9, 3)), (None, (4, 6, 3))])
def test_an_exemplar_has_the_asked_size_or_its_own(tmp_path, size, shape):
    file = tmp_path / "wide.png"
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(4, 6, 3)).save(file)
    assert exemplars.exemplar("wide.png", size, file).shape == shape


def test_an_exemplar_of_the_image_set_is_found_by_its_name():
    image_set = textures.procedural(3, 2)
    for i, name in enumerate(image_set.files):
        assert exemplars.find(image_set, name) == i
    with pytest.raises(InputError, match=r"neither a file nor in the image set; nearest: dots/dots_0001"):
        exemplars.exemplar("dots/dots_00001.png", 16, None, {"classes": 3, "per_class": 2, "seed": 0})


def test_a_procedural_exemplar_is_that_of_the_set():
    dataset = {"classes": 3, "per_class": 2, "seed": 5}
    image_set = textures.procedural(**dataset)
    image = exemplars.exemplar("dots/dots_0001.png", 24, None, dataset)
    np.testing.assert_array_equal(image, image_set.read(image_set.files.index("dots/dots_0001.png"), 24))
    with pytest.raises(InputError, match="square"):
        exemplars.exemplar("dots/dots_0001.png", None, None, dataset)


def test_a_constant_exemplar_is_refused(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    with pytest.raises(InputError, match=r"textures: red\.png: the image is constant"):
        exemplars.exemplar("red.png", 8, tmp_path / "red.png")


def test_classmates_are_other_images_of_the_class():
    image_set = textures.procedural(3, 4, 0)
    mates = exemplars.classmates(image_set, "dots/dots_0001.png", 2, (16, 16))
    rows = [image_set.files.index(f"dots/dots_000{i}.png") for i in (0, 2)]
    for mate, row in zip(mates, rows, strict=True):
        np.testing.assert_array_equal(mate, image_set.read(row, 16))
    assert len(exemplars.classmates(image_set, "dots/elsewhere.png", 9, (16, 16))) == 4
