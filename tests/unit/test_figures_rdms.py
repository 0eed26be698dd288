"""Figures of RDMs: every name is there and can be read."""

import numpy as np
import pandas as pd
import pytest
from legible import POOL, assert_legible, shown_texts, table, words
from scipy.spatial.distance import squareform

from texalign.figures import rdms


@pytest.mark.parametrize("classes", [2, 12, 47])
def test_rdm_names_every_class_legibly(rng, classes):
    names = [f"crosshatched{i}" for i in range(classes)]
    square = squareform(rng.uniform(size=4 * classes * (4 * classes - 1) // 2))
    figure = rdms.rdm(square, np.repeat(names, 4), "VGG-19, L4", "Cosine distance (0 to 2)")
    assert_legible(figure)
    shown = [text.get_text() for text in shown_texts(figure)]
    assert all(shown.count(name) == 2 for name in names)
    assert "Cosine distance (0 to 2)" in shown


def test_rdm_of_many_uneven_classes_with_long_names_leaves_names_out(rng):
    sizes = rng.integers(1, 6, 90)
    classes = np.repeat([f"a very long name of the class {i}" for i in range(90)], sizes)
    square = squareform(rng.uniform(size=len(classes) * (len(classes) - 1) // 2))
    assert_legible(rdms.rdm(square, classes, "mine", "Distance (a.u.)"))


def test_rdm_of_identical_textures():
    assert_legible(rdms.rdm(np.zeros((4, 4)), list("aabb"), "flat", "Distance (a.u.)"))


def test_ungrouped_classes_are_refused():
    with pytest.raises(ValueError, match="grouped"):
        rdms.rdm(np.zeros((3, 3)), ["a", "b", "a"], "", "")


@pytest.mark.parametrize(("classes", "layers"), [(2, 1), (12, 5), (47, 7)])
def test_all_layers_have_one_scale(rng, classes, layers):
    names = [f"crosshatched{i}" for i in range(classes)]
    pairs = classes * (classes - 1) // 2
    squares = [squareform(rng.uniform(size=2 * classes * (2 * classes - 1) // 2)) * i for i in range(layers)]
    means = [squareform(rng.uniform(size=pairs)) for _ in range(layers)]
    titles = [f"L{i} (features.denseblock4.denselayer{i}.norm1)" for i in range(layers)]
    remark = rdms.of_clusters("cosine", "gram")
    figure = rdms.all_layers(squares, means, np.repeat(names, 2), titles, "VGG-19", "1 - cosine of x", remark)
    assert_legible(figure)
    assert "made from Euclidean ones" in words(figure)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 * layers
    textures = [image for image in images if len(image.get_array()) == 2 * classes]
    assert len({image.get_clim() for image in textures}) == 1
    assert len({image.get_clim() for image in images if image not in textures}) == 1


def test_another_layer_in_the_same_figure(rng):
    """Its scale may be of other numbers, which find their room."""
    square = squareform(rng.uniform(size=66))
    figure = rdms.rdm(square, list("aabbccddeeff"), "Net, L1", "Frobenius distance (arb. units)")
    rdms.repaint(figure, 54321 * square, "Net, L2 (features.8)")
    assert_legible(figure)
    assert "Net, L2 (features.8)" in words(figure)
    anew = rdms.rdm(
        54321 * square, list("aabbccddeeff"), "Net, L2 (features.8)", "Frobenius distance (arb. units)"
    )
    (found,), (expected,) = figure.axes[0].images, anew.axes[0].images
    np.testing.assert_array_equal(found.get_array(), expected.get_array())
    assert found.get_clim() == expected.get_clim()


def test_a_remark_stands_below(rng):
    square = squareform(rng.uniform(size=66))
    figure = rdms.rdm(square, list("aabbccddeeff"), "x", "y", rdms.of_clusters("cosine", "rdm_rows"))
    assert_legible(figure)
    assert "rows of the Euclidean matrix" in words(figure)


@pytest.mark.parametrize(("networks", "sign"), [(1, 1), (3, -1), (13, 1)])
def test_second_order(rng, networks, sign):
    names = [label for _, label, _ in POOL[:networks] for _ in range(5)]
    labels = [f"{name} L{i % 5 + 1}" for i, name in enumerate(names)]
    matrix = squareform(rng.uniform(min(sign, 0), 1, len(names) * (len(names) - 1) // 2)) + np.eye(len(names))
    figure = rdms.second_order(
        matrix, labels, names, rng.uniform(-0.1, 0.3, len(names)), "Spearman correlation"
    )
    assert_legible(figure)
    shown = [text.get_text() for text in shown_texts(figure)]
    assert shown.count("L3") == networks
    assert all(shown.count(label) == 2 for _, label, _ in POOL[:networks])
    image = figure.axes[0].images[0]
    assert image.get_clim() == ((0, 1) if sign > 0 else (-1, 1))


def test_second_order_with_controls_and_chance(rng):
    names = ["AlexNet"] * 2 + ["VGG-19 (untrained)"] * 3
    matrix = squareform(rng.uniform(-0.05, 1, 10)) + np.eye(5)
    own, chance = np.array([0.1, 0.3, -0.05, 0.2, 0.0]), np.array([0.01, 0.02, 0.03, 0.01, 0.02])
    figure = rdms.second_order(
        matrix, [f"{name} L{i}" for i, name in enumerate(names)], names, own, "r", chance, controls=3
    )
    assert_legible(figure)
    for text in ("controls last", "shuffled"):
        assert text in words(figure)
    assert figure.axes[0].images[0].get_clim() == (np.floor(10 * matrix.min()) / 10, 1)
    bars = figure.axes[0].child_axes[0].patches
    lengths = [(bar.get_width(), bar.get_facecolor()[:3] == (1, 1, 1)) for bar in bars[:5]]
    assert lengths == [(0.1, False), (0.3, False), (-0.05, True), (0.2, True), (0.0, True)]
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars[5:]]
    np.testing.assert_allclose(spans, [(-2 * s, 2 * s) for s in chance])


@pytest.mark.parametrize("networks", [1, 13])
def test_second_order_map(networks):
    rows = table(networks, untrained=["resnet18"])
    study = rows.drop_duplicates("network").set_index("network")[["label", "family", "weights"]]
    rng = np.random.default_rng(0)
    others = [("classes", "L1"), ("people", "L1"), ("mine", "L1")]
    placed = pd.concat([rows[["network", "layer"]], pd.DataFrame(others, columns=["network", "layer"])])
    placed = placed.assign(stress=0.123, **dict(zip("xy", rng.normal(size=(2, len(placed))), strict=True)))
    labels = {"classes": "Class identity", "people": "Descriptions $x$", "mine": "Mine"}
    figure = rdms.second_order_map(placed, study.to_dict("index"), labels)
    assert_legible(figure)
    assert "stress 0.12" in words(figure)
    assert len(figure.legends[0].get_texts()) == networks + 3
    single = [line.get_xydata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    points = [tuple(point) for point in single]
    assert sorted(points) == sorted(placed[["x", "y"]].itertuples(index=False, name=None))
