"""Figures: the numbers behind them, and what a reader would complain about."""

from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from scipy.spatial.distance import squareform

from texalign import alignment, plots

POOL = [
    ("alexnet", "AlexNet", "alexnet"),
    ("vgg19", "VGG-19", "vgg"),
    ("resnet18", "ResNet-18", "resnet"),
    ("efficientnet_lite0", "EfficientNet-Lite0", "efficientnet"),
    ("densenet121", "DenseNet-121", "densenet"),
    ("densenet169", "DenseNet-169", "densenet"),
    ("inception_v3", "Inception-v3", "inception"),
    ("resnet34", "ResNet-34", "resnet"),
    ("resnet50", "ResNet-50", "resnet"),
    ("resnet101", "ResNet-101", "resnet"),
    ("resnet152", "ResNet-152", "resnet"),
    ("vgg16", "VGG-16", "vgg"),
    ("mobilenet_v2", "MobileNetV2", "mobilenet"),
]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def scores(request):
    return alignment.read_scores(request.config.rootpath / "resources/brainscore.csv")


def table(networks, untrained=()):
    rng, rows = np.random.default_rng(0), []
    for key, label, family in POOL[:networks]:
        weights = "untrained" if key in untrained else "IMAGENET1K_V1"
        for i in range(2 if key == "mobilenet_v2" else 5):
            rows.append((key, label, family, weights, f"L{i + 1}", 0.5 + 0.5 * i + rng.uniform(0, 0.3)))
    columns = ["network", "label", "family", "weights", "layer", "mi_bits"]
    return pd.DataFrame(rows, columns=columns).assign(mi_std_bits=0.05, h_class_bits=np.log2(47))


def brainscore(mi, scores):
    joined = alignment.join_scores(alignment.best_layers(mi), scores)
    correlations = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
    return plots.brainscore_panels(joined, correlations)


def shown_texts(figure):
    """Find the texts that a reader sees; tick labels outside of their axis are not drawn."""
    hidden = set()
    for axes in figure.findobj(mpl.axes.Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                inside = low <= tick.get_loc() <= high and axis.get_visible() and axes.axison
                hidden |= {tick.label2} if inside else {tick.label1, tick.label2}
            if not axes.axison:
                hidden |= {axis.label}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
    ]


def assert_legible(figure):
    """Nothing overlaps, nothing is cut off, and no letter is smaller than 4 points."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = {text: text.get_window_extent(renderer) for text in shown_texts(figure)}
    assert min(text.get_fontsize() for text in boxes) >= 4
    for text, box in boxes.items():
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
    for (a, first), (b, second) in combinations(boxes.items(), 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        along = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 0.5 or along <= 0.5, f"{a.get_text()!r} and {b.get_text()!r} overlap"


def words(figure):
    return " | ".join(text.get_text() for text in shown_texts(figure))


# --- representational dissimilarity


@pytest.mark.parametrize(("n", "pixels"), [(12, 4), (12, 12), (12, 50), (23, 7), (2, 900)])
def test_reduced_rdm_is_the_block_mean(rng, n, pixels):
    condensed = rng.uniform(size=n * (n - 1) // 2).astype(np.float32)
    reduced, square = plots.reduce_rdm(condensed, n, pixels), squareform(condensed.astype(float))
    edges = np.linspace(0, n, min(n, pixels) + 1).round().astype(int)
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    naive = [[square[np.ix_(a, b)].mean() for b in blocks] for a in blocks]
    np.testing.assert_allclose(reduced, naive, rtol=1e-12)
    np.testing.assert_array_equal(reduced, reduced.T)


def test_reduced_rdm_refuses_the_wrong_size():
    with pytest.raises(ValueError, match="4 textures need 6"):
        plots.reduce_rdm(np.zeros(5), 4)


@pytest.mark.parametrize("classes", [2, 12, 47])
def test_rdm_names_every_class_legibly(rng, classes):
    names = [f"crosshatched{i}" for i in range(classes)]
    square = squareform(rng.uniform(size=4 * classes * (4 * classes - 1) // 2))
    figure = plots.rdm(square, np.repeat(names, 4), "VGG-19, L4", "Cosine distance (0 to 2)")
    assert_legible(figure)
    shown = [text.get_text() for text in shown_texts(figure)]
    assert all(shown.count(name) == 2 for name in names)
    assert "Cosine distance (0 to 2)" in shown


def test_rdm_of_many_uneven_classes_with_long_names_leaves_names_out(rng):
    sizes = rng.integers(1, 6, 90)
    classes = np.repeat([f"a very long name of the class {i}" for i in range(90)], sizes)
    square = squareform(rng.uniform(size=len(classes) * (len(classes) - 1) // 2))
    assert_legible(plots.rdm(square, classes, "mine", "Distance (a.u.)"))


def test_rdm_of_identical_textures():
    assert_legible(plots.rdm(np.zeros((4, 4)), list("aabb"), "flat", "Distance (a.u.)"))


def test_ungrouped_classes_are_refused():
    with pytest.raises(ValueError, match="grouped"):
        plots.rdm(np.zeros((3, 3)), ["a", "b", "a"], "", "")


@pytest.mark.parametrize(("networks", "sign"), [(1, 1), (3, -1), (13, 1)])
def test_second_order(rng, networks, sign):
    names = [label for _, label, _ in POOL[:networks] for _ in range(5)]
    labels = [f"{name} L{i % 5 + 1}" for i, name in enumerate(names)]
    matrix = squareform(rng.uniform(min(sign, 0), 1, len(names) * (len(names) - 1) // 2)) + np.eye(len(names))
    figure = plots.second_order(
        matrix, labels, names, rng.uniform(-0.1, 0.3, len(names)), "Spearman correlation"
    )
    assert_legible(figure)
    shown = [text.get_text() for text in shown_texts(figure)]
    assert shown.count("L3") == networks
    assert all(shown.count(label) == 2 for _, label, _ in POOL[:networks])
    image = figure.axes[0].images[0]
    assert image.get_clim() == ((0, 1) if sign > 0 else (-1, 1))


# --- clusters and classes


@pytest.mark.parametrize(("classes", "clusters"), [(4, 4), (3, 6), (6, 3)])
def test_matched_order_finds_the_hidden_diagonal(rng, classes, clusters):
    diagonal = np.eye(classes, clusters, dtype=int) * np.arange(90, 90 - clusters, -1)
    rows, columns = rng.permutation(classes), rng.permutation(clusters)
    hidden = (diagonal + 1)[np.ix_(rows, columns)]
    found_rows, found_columns = plots.matched_order(hidden)
    assert sorted(found_rows) == list(range(classes))
    assert sorted(found_columns) == list(range(clusters))
    side = min(classes, clusters)
    assert (np.diag(hidden[np.ix_(found_rows, found_columns)])[:side] > 80).all()


@pytest.mark.parametrize(("classes", "clusters"), [(2, 2), (12, 30), (47, 47)])
def test_cluster_composition(rng, classes, clusters):
    counts = rng.poisson(2, (classes, clusters))
    counts[:, 0] = 0  # a cluster may be empty
    counts[:, 1] += 1
    figure = plots.cluster_composition(counts, [f"class {i}" for i in range(classes)], "VGG-19, L5")
    assert_legible(figure)
    assert figure.axes[0].images[0].get_array().sum() == pytest.approx(classes)


# --- mutual information and Brain-Score


@pytest.mark.parametrize("networks", [1, 2, 12, 13])
def test_mutual_information_by_layer(networks):
    mi = table(networks, untrained=["resnet18"]).assign(mi_null_bits=0.01, mi_null_std_bits=0.01)
    figure = plots.mutual_information_by_layer(mi.sample(frac=1, random_state=0))
    assert_legible(figure)
    shown = words(figure)
    assert "(bits)" in shown
    assert "H(class) = 5.55 bits" in shown
    assert ("ResNet-18 (untrained)" in shown) == (networks > 2)
    assert len(figure.legends[0].get_texts()) == networks + 1
    heights = np.concatenate([c.lines[0].get_ydata() for c in figure.axes[0].containers])
    np.testing.assert_allclose(sorted(heights), sorted(mi["mi_bits"]))


def test_mutual_information_refuses_mixed_conditions():
    mi = table(2)
    with pytest.raises(ValueError, match="readout"):
        plots.mutual_information_by_layer(pd.concat([mi.assign(readout="relu"), mi.assign(readout="linear")]))


@pytest.mark.parametrize("networks", [1, 2, 4, 13])
def test_brainscore_panels(scores, networks):
    figure = brainscore(table(networks, untrained=["vgg19"]), scores)
    assert_legible(figure)
    shown = words(figure)
    assert shown.count("(score, 0 to 1)") == 7
    assert shown.count("Best mutual information (bits)") == 2
    assert ("†" in shown) == (networks >= 4)  # EfficientNet-Lite0 has no score
    assert shown.count("no correlation") == (7 if networks < 3 else 0)
    fits = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == "-"]
    assert len(fits) == (7 if networks >= 3 else 0)


def test_brainscore_panels_without_any_score(scores):
    figure = brainscore(table(3), scores.loc[["resnet152"]])
    assert_legible(figure)
    assert words(figure).count("no network\nwith scores") == 7


def test_brainscore_panels_from_the_written_tables(tmp_path, scores):
    joined = alignment.join_scores(alignment.best_layers(table(1)), scores.iloc[:0])
    tables = joined, alignment.correlate({}, scores)
    for i, frame in enumerate(tables):
        frame.to_csv(tmp_path / f"{i}.csv", index=False)
    figure = plots.brainscore_panels(*(pd.read_csv(tmp_path / f"{i}.csv") for i in range(2)))
    assert words(figure).count("$n$ = 0:") == 7


# --- look and files


def test_network_styles_are_distinct_and_independent_of_order():
    networks, _, families = zip(*POOL, strict=True)
    untrained = [network == "vgg16" for network in networks]
    styles = plots.network_styles(networks, families, untrained)
    assert styles == plots.network_styles(networks[::-1], families[::-1], untrained[::-1])
    assert len({look["marker"] for look in styles.values()}) == len(POOL)
    assert len({look["color"] for look in styles.values()}) == len(POOL)
    hollow = {network for network, look in styles.items() if look["markerfacecolor"] == "white"}
    assert hollow == {"vgg16"} == {network for network, look in styles.items() if look["linestyle"] == "--"}


def test_unknown_families_get_looks_of_their_own():
    styles = plots.network_styles(["mine", "yours", "vgg19"], ["me", "you", "VGG"], [False] * 3)
    assert len({(look["color"], look["marker"]) for look in styles.values()}) == 3
    assert styles["vgg19"]["color"] == plots.FAMILIES["vgg"][0]


def test_saved_files_are_identical_and_whole(tmp_path):
    before = dict(mpl.rcParams)
    for turn in "ab":
        figure = plots.mutual_information_by_layer(table(4))
        plots.save(figure, pdf=tmp_path / f"{turn}.pdf", png=tmp_path / f"{turn}.png")
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "b.pdf", "b.png"]
    assert b"/CIDFontType2" in (tmp_path / "a.pdf").read_bytes()  # embedded TrueType (font type 42)
    assert dict(mpl.rcParams) == before


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    figure = plots.rdm(np.zeros((2, 2)), ["a", "b"], "", "Distance (a.u.)")
    monkeypatch.setattr(figure, "savefig", lambda path, **_: (open(path, "w").close(), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        plots.save(figure, png=tmp_path / "figure.png")
    assert list(tmp_path.iterdir()) == []
