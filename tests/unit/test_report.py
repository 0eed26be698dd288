"""The report's data, sentences and pages."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from reports import CLASSES, Report
from scipy.spatial.distance import pdist, squareform
from studies import REPOSITORY

from texalign import InputError, store, views
from texalign.plan import explained
from texalign.plan import pages as plan
from texalign.report import data, embedding, layers, overview, pages, provenance, sentences, thumbnails

HOSTILE = ["</script>", "a & b", "\u2028", '"', "\N{FIRE}", "\ud800", "two\nlines"]


def value_of(script):
    """The value that a script of ours gives to a name."""
    return json.loads(re.fullmatch(r"\(window.*?\)\.\w+ = (.*);\n", script, re.DOTALL)[1])


def test_a_script_holds_any_name_and_nothing_that_ends_it():
    text = data.script("names", HOSTILE)
    assert not set("<>&\u2028\u2029") & set(text)
    assert value_of(text) == [name.replace("\ud800", "?") for name in HOSTILE]


def test_what_is_no_number_is_null():
    rows = {"a": np.array([1.5, np.nan]), "b": np.float32("inf"), "c": [np.int64(3), True]}
    assert value_of(data.script("rows", rows)) == {"a": [1.5, None], "b": None, "c": [3, True]}


def test_codes_keep_distances_to_a_part_in_ten_thousand(rng):
    distances = np.r_[0, np.nan, rng.lognormal(sigma=2, size=2000), 1e-3, 1e3]
    low, step = data.scale(distances)
    found = data.restored(data.quantise(distances, low, step), low, step)
    np.testing.assert_array_equal(found[:2], distances[:2])
    np.testing.assert_allclose(found[2:], distances[2:], rtol=np.expm1(step / 2) * 1.001)
    assert step < 3e-4


@pytest.mark.parametrize("distances", [[2.0, 2.0], [0.0, 0.0], [np.nan, 0.0], [np.nan, 7.0]])
def test_codes_of_few_values(distances):
    low, step = data.scale(np.array(distances))
    found = data.restored(data.quantise(np.array(distances), low, step), low, step)
    np.testing.assert_allclose(found, distances)


def test_class_means_are_those_of_the_square(rng):
    classes = np.repeat(["a", "b", "c"], [3, 1, 4])
    condensed = rng.uniform(size=28)
    names, means = views.class_means(condensed, classes)
    square = squareform(condensed)
    np.fill_diagonal(square, np.nan)
    assert names == ["a", "b", "c"]
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            part = square[np.ix_(classes == one, classes == other)]
            expected = np.nan if np.isnan(part).all() else np.nanmean(part)
            np.testing.assert_allclose(means[i, j], expected)


def test_neighbours_are_the_nearest_others(rng):
    condensed = rng.uniform(size=45)
    condensed[:3] = 0  # duplicates of the first texture
    found, distances = layers.neighbours(condensed, 10, 4)
    square = squareform(condensed)
    for i in range(10):
        others = sorted((square[i, j], j) for j in range(10) if j != i)[:4]
        assert [(d, j) for d, j in zip(distances[i], found[i], strict=True)] == others


def test_a_large_matrix_is_averaged(rng):
    condensed = rng.uniform(1, 2, size=23 * 22 // 2)
    value = layers.matrix(condensed, 23, side=7)
    codes = np.frombuffer(base64.b64decode(value["codes"]), "<u2")
    found = data.restored(codes, value["low"], value["step"])
    np.testing.assert_allclose(found, views.reduce_rdm(condensed, 23, 7)[np.triu_indices(7)], rtol=1e-4)
    assert not value["exact"]


def test_sheets_hold_every_image_in_its_place():
    images = [np.full((5, 7, 3), i, np.uint8) for i in range(7)]
    sheets = list(thumbnails.sheets(images, side=4, across=2))
    assert [sheet.shape for sheet in sheets] == [(8, 8, 3), (8, 8, 3)]
    at = [(pages.thumb(i, "")["sheet"], i) for i in (0, 255, 256)]
    assert [sheet for sheet, _ in at] == [0, 0, 1]
    for i in range(7):
        sheet, row, column = i // 4, i % 4 // 2, i % 2
        assert (sheets[sheet][4 * row : 4 * row + 4, 4 * column : 4 * column + 4] == i).all()


# ---------------------------------------------------------------- sentences


def information(*rows):
    table = pd.DataFrame(rows, columns=["network", "mi_corrected_bits", "mi_low_bits", "mi_high_bits"])
    return table.assign(layer="L2", mi_bits=table["mi_corrected_bits"], h_class_bits=4.0)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([("a", 3.0, 2.8, 3.2), ("b", 2.0, 1.8, 2.2)], "clear"),
        ([("a", 3.0, 2.8, 3.2), ("b", 2.7, 2.5, 2.9)], "inconclusive"),
        ([("a", 0.1, -0.1, 0.3)], "inconclusive"),
        ([("a", 0.5, 0.1, 0.9)], "clear"),
        ([("a", 3.0, np.nan, np.nan)], "inconclusive"),
        ([("a", 3.0, 2.8, 3.2), ("b", 2.0, np.nan, np.nan)], "inconclusive"),
    ],
)
def test_the_sentence_on_information_says_what_the_intervals_say(rows, verdict):
    said = sentences.of_information(information(*rows), {"a": "Net A", "b": "Net B"})
    assert said.verdict == verdict
    assert ("inconclusive" in said.text) == (verdict == "inconclusive")
    assert "Net A at L2" in said.text


@pytest.mark.parametrize(
    ("r", "low", "high", "verdict"),
    [
        (-0.26, -0.73, 0.37, "inconclusive"),
        (0.8, 0.42, 0.94, "positive"),
        (-0.8, -0.94, -0.42, "negative"),
        (0.3, np.nan, np.nan, "inconclusive"),
        (np.nan, np.nan, np.nan, "inconclusive"),
    ],
)
def test_the_sentence_on_scores_says_what_the_interval_says(r, low, high, verdict):
    row = {"metric": "V2", "n": 12, "pearson_r": r, "fisher_low": low, "fisher_high": high}
    row |= {"r_detectable": 0.707, "power_half": 0.4}
    table = pd.DataFrame([row | {"layer": "best"}, row | {"layer": "L1", "fisher_low": 0.1}])
    said = sentences.of_scores(table)
    assert said.verdict == verdict
    assert ("inconclusive" in said.text) == (verdict == "inconclusive")
    missed = "would miss a true correlation of 0.5 60 times in 100; only one of 0.71 or more"
    assert (missed in said.text) == (low <= 0 <= high)


def test_what_people_said_stands_beside_networks():
    row = {"reference": "p", "kind": "descriptions", "words": "all words", "level": "image", "n": 9, "k": 3}
    row |= {"mi_bits": 1.0, "mi_low_bits": 0.5, "mi_high_bits": 1.5, "h_class_bits": 2.0}
    rows = [
        row,
        row | {"level": "class"},
        row | {"mi_bits": np.nan},
        row | {"words": "", "mi_low_bits": np.nan},
    ]
    assert sentences.of_people(pd.DataFrame(rows)) == [
        "p, descriptions, all words: 3 clusters of 9 textures by what people said tell "
        "1.00 (95 % interval 0.50 to 1.50) of 2.00 bits.",
        "p, descriptions: 3 clusters of 9 textures by what people said tell 1.00 of 2.00 bits.",
    ]
    summary = pd.DataFrame(
        {"network": ["a"], "layer": ["L1"], "mi_bits": [1.0], "human_p_image": [0.2], "V1": [np.nan]}
    )
    table, _ = overview.layers_table(summary, {"a": "A"}, ["V1"])
    assert list(table) == ["network", "layer", "mi_bits", "human_p_image"]
    assert "p image" in overview.explain(table, {"score": "correlation"})["human_p_image"]


def test_what_is_missing_is_said():
    table = pd.DataFrame(
        {
            "name": ["A", "B"],
            "weights": ["untrained", "x"],
            "control": [False, False],
            "scored": [True, False],
        }
    )
    said = " ".join(overview.missing(table, {"Synthesis": "snakemake synthesis"}))
    for words in ("weights of A:", "Brain-Scores of B:", "untrained control", "snakemake synthesis"):
        assert words in said


# ---------------------------------------------------------------- explanations and pages


def test_confused_classes_are_those_of_the_best_layers():
    networks = pd.DataFrame({"network": ["a", "b"], "name": ["A", "B"], "layer": ["L1", "L2"]})
    rows = [
        ("a", "L1", "x", "y", 0.2),
        ("a", "L1", "x", "z", 0.7),
        ("a", "L2", "y", "z", 1),
        ("b", "L2", "x", "y", 0),
    ]
    confusions = pd.DataFrame(rows, columns=["network", "layer", "class", "other_class", "confusion"])
    first, second = overview.confused(networks, confusions)
    assert first["pairs"] == [["x", "z", 0.7], ["x", "y", 0.2]]
    assert (first["link"], second["pairs"]) == ("networks/a/L1.html", [])


def test_columns_and_differences_come_from_the_documentation():
    text = "| column | meaning |\n|---|---|\n| `k`, `n_classes` | **clusters**, [x](y.md) |\n\n| a |\n|---|"
    assert explained.columns(text) == {"k": "clusters, x", "n_classes": "clusters, x"}
    text = "| | the paper says | here |\n|---|---|---|\n| readout | `relu` | *own* |\n"
    assert explained.differences(text) == [["readout", "relu", "own"]]


def test_every_column_of_the_report_is_explained():
    text = "\n".join(
        (REPOSITORY / f"docs/{page}.md").read_text() for page in ("results", "human", "synthesis")
    )
    found = explained.columns(text)
    assert "score" in found
    assert {part.section for _, _, parts in plan.PAGES.values() for part in parts} <= explained.sections(
        text
    ).keys()
    metrics = ["average_vision", "neural_vision", "behavior_vision", "V1", "V2", "V4", "IT"]
    assert {*overview.COLUMNS, *metrics, "confusion", "together"} <= found.keys()
    assert len(explained.differences(text)) > 5


class Reader(HTMLParser):
    """Elements with their attributes, and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.text += text


def test_near_textures_are_near_on_the_map(rng):
    points = np.repeat(rng.normal(scale=20, size=(4, 5)), 10, axis=0) + rng.normal(size=(40, 5))
    condensed = pdist(points)
    places = embedding.embed(condensed)
    np.testing.assert_array_equal(places, embedding.embed(condensed))
    apart = squareform(pdist(places.astype(float)))
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(1) // 10 == np.arange(40) // 10).mean() > 0.9
    assert np.ptp(places, axis=0).max() == 65535


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_map_of_few_textures(n):
    assert embedding.embed(np.ones(n * (n - 1) // 2)).shape == (n, 2)


def test_pages_show_what_was_made_and_say_what_was_not(report):
    assert list(report.found) == list(plan.PAGES)
    assert [part["title"] for part in report.found["statistics"]] == [
        "Which classes are recovered",
        "Correlation with scores",
    ]
    study = report.folder.parent / "study"
    others = {
        f"{name}.csv"
        for name in ("decoding", "representations", "multiverse/null", "human", "synthesis/scores")
    }
    assert {Path(file).relative_to(study).as_posix() for file in plan.files(study)} == others | {
        *("figures/classes.png", "figures/contact/net.png", "figures/contact/other.png"),
        "brainscore_uncertainty.csv",
    }
    assert plan.absent(study) == {}
    assert f"{study}/figures/contact/other.png" not in plan.files(study, {"network": ["net"]})
    assert f"{study}/figures/contact/net.png" in plan.files(study, {"network": ["net"], "seed": []})
    assert plan.absent(study / "figures")["Synthesis"] == "synthesis"
    made = {row["file"]: row for row in report.made if row["rule"] != "join"}
    figures = ["figures/classes.pdf", "figures/classes.png"]
    assert list(made) == ["brainscore_uncertainty.csv", "by_hand.csv", *figures, "rdm/net/L1.h5"]
    assert made["by_hand.csv"]["rule"] == ""
    table, rdm = made["brainscore_uncertainty.csv"], made["rdm/net/L1.h5"]
    assert (table["rule"], table["seconds"], table["inputs"]) == ("a_rule", None, ())
    assert (rdm["rule"], rdm["seconds"], rdm["memory"]) == ("compute_rdm", 1.5, None)
    assert rdm["inputs"] == (f"{study}/images.h5", "w.pth")
    assert rdm["weights"] == report.names[0]


def test_every_figure_of_a_page_has_a_caption():
    config = {"second_order": {"correlation": "spearman"}, "synthesis": {"loss": "paper"}}
    for part in (part for _, _, parts in plan.PAGES.values() for part in parts):
        for place, name in part.figures.items():
            told = plan.caption((REPOSITORY / f"workflow/report/{name}.rst").read_text(), config)
            assert len(told) > 60
            first, _, rest = told.partition(". ")
            assert set(re.findall(r"{\w+}", first)) <= set(re.findall(r"{\w+}", place))
            assert not set("{}*`") & set(rest)
    text = 'Of **{{ snakemake.config["second_order"]["correlation"] }}**,\n{{ snakemake.wildcards.seed }}.'
    assert plan.caption(text, config) == "Of spearman, {seed}."


def test_figures_of_a_kind_have_their_names_and_share_what_is_said_of_them(report):
    text = Reader((report.folder / "more/clusters.html").read_text()).text
    assert f"Of {report.names[0]}. (figures/contact/net.png)" in text
    assert "Of other. (figures/contact/other.png)" in text
    assert text.count("All of them.") == 1


def test_a_target_that_makes_a_page_is_one_of_the_workflow():
    text = "".join(path.read_text() for path in (REPOSITORY / "workflow").rglob("*.smk"))
    text += (REPOSITORY / "workflow/Snakefile").read_text()
    for _, target, _ in plan.PAGES.values():
        assert f"rule {target}:" in text


def test_a_column_that_is_explained_twice_is_explained_for_its_table():
    table = "| column | meaning |\n|---|---|\n| `n` | {} |\n"
    text = f"## One\n{table.format('textures')}\n## Two\n{table.format('networks')}\n## None\n"
    found = explained.sections(text)
    assert found == {"One": {"n": "textures"}, "Two": {"n": "networks"}, "": {"n": "textures"}}


PAGES = ["index.html", "networks.html", "map.html", "more/provenance.html"]
PAGES += [f"more/{page}.html" for page in plan.PAGES]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return Report(tmp_path_factory.mktemp("report") / "report")


@pytest.mark.parametrize("page", [*PAGES, "networks/net/L1.html"])
def test_names_are_text_and_every_link_leads_to_a_file(report, page):
    found = Reader((report.folder / page).read_text())
    scripts = [attributes for tag, attributes in found.elements if tag == "script"]
    assert all(attributes.keys() == {"src"} for attributes in scripts)
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    # These name some, or as JSON.
    if page not in ("map.html", "networks/net/L1.html", "more/clusters.html", "more/provenance.html"):
        assert all(name in found.text for name in CLASSES)
    for _, attributes in found.elements:
        for key in ("src", "href"):
            target = attributes.get(key, "#").partition("#")[0]
            if target and not target.startswith("data:"):
                assert (report.folder / page).parent.joinpath(target).is_file(), target
    images = [attributes for tag, attributes in found.elements if tag == "img"]
    assert all(attributes["alt"] for attributes in images)


def test_files_of_other_programs_are_listed_without_what_made_them(tmp_path):
    """As rsatoolbox's, which `exchange` makes; a damaged one of texalign's own is told."""
    with h5py.File(tmp_path / "rdms.h5", "w") as file:
        file["dissimilarities"] = np.zeros((2, 3))
    with store.create_h5(tmp_path / "ours.h5", {"rule": "compute_rdm"}) as file:
        file["rdm"] = np.zeros(10_000)
    noted = {str(tmp_path / "rdms.h5"): {"rule": "export_rdms", "inputs": (), "log": ""}}
    rows = {row["file"]: row for row in provenance.listed(tmp_path, noted)}
    assert rows["rdms.h5"]["rule"] == "export_rdms"
    assert rows["ours.h5"]["versions"].startswith("texalign")
    whole = (tmp_path / "ours.h5").read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], b""):
        (tmp_path / "ours.h5").write_bytes(damaged)
        with pytest.raises(InputError, match=r"ours\.h5"):
            provenance.listed(tmp_path, noted)
