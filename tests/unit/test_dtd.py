"""The Describable Textures Dataset: whole, or refused."""

import pytest

from texalign import InputError
from texalign.images import textures


def test_dtd_is_counted_before_the_cap(tmp_path):
    for c in range(47):
        (tmp_path / f"c{c}").mkdir()
        for i in range(120):
            (tmp_path / f"c{c}" / f"{i}.jpg").touch()
    assert len(textures.load("dtd", tmp_path, per_class=3)) == 141
    (tmp_path / "c7/8.jpg").unlink()
    with pytest.raises(InputError, match=r"found 47 classes \(119 in c7 images\)"):
        textures.load("dtd", tmp_path, per_class=3)
