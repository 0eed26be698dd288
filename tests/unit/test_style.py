"""The look of all figures: networks told apart, files of the same bytes."""

import re
import zlib

import matplotlib as mpl
import numpy as np
import pytest
from legible import POOL, table

from texalign.figures import information as layers
from texalign.figures import rdms, style


def test_network_styles_are_distinct_and_independent_of_order():
    networks, _, families = zip(*POOL, strict=True)
    untrained = [network == "vgg16" for network in networks]
    styles = style.network_styles(networks, families, untrained)
    assert styles == style.network_styles(networks[::-1], families[::-1], untrained[::-1])
    assert len({look["marker"] for look in styles.values()}) == len(POOL)
    assert len({look["color"] for look in styles.values()}) == len(POOL)
    hollow = {network for network, look in styles.items() if look["markerfacecolor"] == "white"}
    assert hollow == {"vgg16"} == {network for network, look in styles.items() if look["linestyle"] == "--"}


def test_controls_have_dotted_lines_and_stand_last_under_a_heading():
    mi = table(3, untrained=["resnet18"]).assign(control=lambda rows: rows["network"] == "alexnet")
    styles, _ = style.table_styles(mi)
    assert [look["linestyle"] for look in styles.values()] == ["--", "-", ":"]
    assert list(styles)[-1] == "alexnet"
    figure = layers.mutual_information_by_layer(mi)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[:4] == ["ResNet-18 (untrained)", "VGG-19", "control, for comparison:", "AlexNet"]


def test_unknown_families_get_looks_of_their_own():
    styles = style.network_styles(["mine", "yours", "vgg19"], ["me", "you", "VGG"], [False] * 3)
    assert len({(look["color"], look["marker"]) for look in styles.values()}) == 3
    assert styles["vgg19"]["color"] == style.FAMILIES["vgg"][0]


def test_saved_files_are_identical_and_whole(tmp_path):
    before = dict(mpl.rcParams)
    for turn in "ab":
        figure = layers.mutual_information_by_layer(table(4))
        style.save(figure, pdf=tmp_path / f"{turn}.pdf", png=tmp_path / f"{turn}.png")
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "b.pdf", "b.png"]
    written = (tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in written  # embedded TrueType (font type 42)
    fonts = [zlib.decompress(part) for part in re.findall(rb"stream\n(x.*?)\nendstream", written, re.DOTALL)]
    fonts = [font for font in fonts if b"glyf" in font[:400]]
    assert fonts
    assert not [font for font in fonts if b"GSUB" in font[:400]]
    assert dict(mpl.rcParams) == before


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    figure = rdms.rdm(np.zeros((2, 2)), ["a", "b"], "", "Distance (a.u.)")
    monkeypatch.setattr(figure, "savefig", lambda path, **_: (open(path, "w").close(), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        style.save(figure, png=tmp_path / "figure.png")
    assert list(tmp_path.iterdir()) == []
