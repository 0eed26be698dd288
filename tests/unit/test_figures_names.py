"""Names in figures: shown as they are, told apart, in letters that some font has, alike in all figures."""

import logging
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given
from hypothesis import strategies as st
from legible import assert_legible, shown_texts, words
from matplotlib import font_manager
from matplotlib.lines import Line2D

from texalign import alignment, tables, views
from texalign.brainscore import METRICS
from texalign.figures import alignment as panels
from texalign.figures import clusters, fonts, information, rdms, style, synthesis

ODD = ["$x$", "cost $", r"\$5 & \frac{", "_private", "a_b^c", "18", "NA", "<b>", "two\nlines", "%d"]


def study_of(labels, family="ResNet", untrained=()):
    return {
        f"net{i}": {"label": label, "family": family, "weights": "untrained" if i in untrained else "V1"}
        for i, label in enumerate(labels)
    }


def table(study, layers=3):
    rng = np.random.default_rng(0)
    rows = [
        {"network": network, **entry, "layer": f"L{i + 1}", "mi_bits": 0.5 + 0.4 * i + rng.uniform(0, 0.3)}
        for network, entry in study.items()
        for i in range(layers)
    ]
    return pd.DataFrame(rows).assign(mi_std_bits=0.05, h_class_bits=2.0)


def unescaped(text):
    return text.replace(r"\$", "$")


def entries(figure):
    """Legend entries of a figure or its axes: text → line."""
    (legend,) = figure.legends or [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    lines = [line for line in legend.findobj(Line2D) if line.get_marker() not in ("", "None", "none", None)]
    named = {unescaped(text.get_text()): line for text, line in zip(legend.get_texts(), lines, strict=True)}
    return {name: line for name, line in named.items() if line.get_marker() != "|"}


def brainscores(study, scores=None):
    best = tables.best_layers(table(study))
    numbers = np.random.default_rng(1).uniform(0.1, 0.6, (len(study), 7))
    given_ = {n: dict(zip(METRICS, row, strict=True)) for n, row in zip(study, numbers, strict=True)}
    scores = alignment.score_table(given_)
    joined = alignment.join_scores(best, scores)
    return joined, alignment.correlate(joined.set_index("network")["mi_bits"], scores)


def traces(study):
    losses = {"evaluations": np.arange(9), "loss": 10.0 ** -np.arange(9)}
    rows = [pd.DataFrame(losses).assign(network=network, texture="001", run="seed0") for network in study]
    return pd.concat(rows)


def test_odd_names_are_all_in_the_legends_as_they_are():
    study = study_of(ODD)
    expected = {" ".join(label.split()) for label in ODD}
    for figure in (
        information.mutual_information_by_layer(table(study), study),
        panels.brainscore_panels(*brainscores(study), study),
        synthesis.loss_curves(traces(study), study),
    ):
        assert set(entries(figure)) == expected
        assert_legible(figure)


def test_odd_names_of_classes_textures_and_titles_are_shown_as_they_are(rng):
    square = np.zeros((len(ODD), len(ODD)))
    image = np.zeros((8, 8, 3), np.uint8)
    for figure in (
        rdms.rdm(square, ODD, "a $title$", "distance"),
        clusters.cluster_composition(np.eye(len(ODD), dtype=int), ODD, "a $title$"),
        rdms.second_order(square, [f"{name} L1" for name in ODD], ODD, np.zeros(len(ODD))),
        synthesis.texture_grid([[image] * len(ODD)] * 2, ["Original", "a $title$"], ODD),
    ):
        figure.canvas.draw()
        shown = {unescaped(text.get_text()) for text in shown_texts(figure)}
        assert {" ".join(name.split()) for name in ODD} <= shown


def test_a_dollar_is_drawn_as_a_dollar(tmp_path):
    """Pixel for pixel the same as matplotlib draws it where mathematics is off."""
    pictures = []
    for text, options in ((style.plain(r"$x_1$ \$ $"), {}), (r"$x_1$ \$ $", {"parse_math": False})):
        figure = mpl.figure.Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, text, **options)
        figure.savefig(tmp_path / "text.png")
        pictures.append((tmp_path / "text.png").read_bytes())
    assert pictures[0] == pictures[1]


def test_equal_labels_are_told_apart_by_their_keys():
    study = study_of(["ResNet", "ResNet", "ResNet ", "  "], untrained=[1])
    assert set(entries(information.mutual_information_by_layer(table(study), study))) == {
        *("ResNet (net0)", "ResNet (untrained)", "ResNet (net2)", "net3")
    }


@pytest.mark.parametrize("members", [6, 14])
@pytest.mark.parametrize("family", ["ResNet", "VGG", "alexnet", "2015", "NA"])
def test_members_of_a_large_family_have_markers_of_their_own(members, family):
    names = [f"net{i}" for i in range(members)]
    looks = style.network_styles(names, [family] * members, [False] * members)
    assert len({look["marker"] for look in looks.values()}) == members
    assert len({look["color"] for look in looks.values()}) == members


def test_upper_and_lower_case_make_no_two_families():
    looks = style.network_styles(["a", "b"], ["ResNet", "resnet"], [False, False])
    assert looks["a"] != looks["b"]


def look(line):
    return line.get_color(), line.get_marker(), line.get_markerfacecolor()


def test_a_network_looks_the_same_in_every_figure_of_a_study():
    """The control, between two others of its family, is in one figure of three."""
    study = study_of(["A", "B", "C", "D"], untrained=[1])
    scored = {network: entry for network, entry in study.items() if entry["weights"] != "untrained"}
    figures = [
        information.mutual_information_by_layer(table(study), study),
        panels.brainscore_panels(*brainscores(scored), study),
        synthesis.loss_curves(traces(list(study)[2:]), study),
    ]
    first, *others = [{name: look(line) for name, line in entries(figure).items()} for figure in figures]
    assert set(first) == {"A", "B (untrained)", "C", "D"}
    assert [set(other) for other in others] == [{"A", "C", "D"}, {"C", "D"}]
    for other in others:
        assert {name: first[name] for name in other} == other
    hollow = {name for name, (_, _, face) in first.items() if face == "white"}
    assert hollow == {"B (untrained)"}


@given(st.lists(st.text("abc 图", min_size=0, max_size=40), max_size=12, unique=True), st.integers(8, 32))
def test_shortened_names_stay_distinct_and_short(names, width):
    short = views.shorten(names, width)
    assert len(set(short)) == len(names)
    assert all(len(name) <= width for name in short)


def test_equal_names_stay_equal_when_shortened():
    assert len(set(views.shorten(["x" * 50] * 3 + ["x" * 51]))) == 2


def make_font(path, letters, outlines):
    """A font of squares, with TrueType or with PostScript outlines."""
    names = [f"u{ord(letter)}" for letter in letters]
    builder = FontBuilder(1000, isTTF=outlines == "ttf")
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names, strict=True)})
    pen = TTGlyphPen(None) if outlines == "ttf" else T2CharStringPen(1000, None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    if outlines == "ttf":
        builder.setupGlyf(dict.fromkeys([".notdef", *names], pen.glyph()))
    else:
        glyphs = dict.fromkeys([".notdef", *names], pen.getCharString())
        builder.setupCFF("Squares", {"FullName": "Squares"}, glyphs, {})
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {"familyName": f"Squares {path.stem}", "styleName": "Regular", "psName": "Squares"}
    )
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.mark.parametrize("outlines", ["ttf", "otf"])
def test_letters_that_our_font_lacks_are_taken_from_one_that_is_installed(
    tmp_path, monkeypatch, caplog, outlines
):
    installed = tmp_path / f"some-{outlines}.{outlines}"
    make_font(installed, "图纹网", outlines)
    make_font(tmp_path / "less.ttf", "图", "ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    found = [str(tmp_path / "less.ttf"), str(installed), str(tmp_path / "broken.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: found)
    assert fonts.covering("Résumé 图纹网") == ([f"Squares some-{outlines}"], [])
    figure = clusters.cluster_composition(np.eye(2, dtype=int), ["图纹", "网 banded"], "网")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.save(figure, pdf=tmp_path / "figure.pdf", png=tmp_path / "figure.png")
    assert b"Squares" in (tmp_path / "figure.pdf").read_bytes()
    assert not caplog.records


def test_letters_that_no_font_has_are_told_once(monkeypatch, caplog):
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    style._tell_missing.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            figure = clusters.cluster_composition(np.eye(2, dtype=int), ["模様", "banded"])
    (record,) = caplog.records
    assert "no installed font has the characters 様模" in record.getMessage().replace("模様", "様模")
    assert "模様" in words(figure)
