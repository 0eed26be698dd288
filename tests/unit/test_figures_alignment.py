"""Figures of mutual information against Brain-Score."""

import numpy as np
import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign import alignment, tables
from texalign.figures import alignment as panels


def brainscore(mi, scores):
    joined = alignment.join_scores(tables.best_layers(mi), scores)
    correlations = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
    return panels.brainscore_panels(joined, correlations)


@pytest.mark.parametrize("networks", [1, 2, 4, 13, 27])
def test_brainscore_panels(scores, networks):
    figure = brainscore(table(networks, untrained=["vgg19"]), scores)
    assert_legible(figure)
    shown = words(figure)
    assert shown.count("(score, 0 to 1)") == 7
    assert shown.count("Best mutual information (bits)") == 2
    assert ("†" in shown) == (networks >= 4)  # EfficientNet-Lite0 has no score
    assert shown.count("no correlation") == (7 if networks < 3 else 0)
    fits = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == "-"]
    assert len(fits) == (7 if networks > 4 else 0)  # of four, three have scores
    assert shown.count("no CI below") == (7 if networks == 4 else 0)
    assert shown.count("by Holm") == (0 if networks < 3 else 7)
    assert "± 1 posterior s.d." in shown


def test_no_panel_is_drawn_where_nothing_could_be_joined(scores):
    figure = brainscore(table(3), scores.loc[["resnet152"]])
    assert_legible(figure)
    assert "No network of this study has a score." in words(figure)
    assert "(score, 0 to 1)" not in words(figure)
    some = scores.assign(V1=np.nan, IT=np.nan)
    figure = brainscore(table(13), some)
    assert_legible(figure)
    assert words(figure).count("(score, 0 to 1)") == 5
    assert "V1" not in words(figure)


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_any_number_of_scores_is_drawn(scores, count):
    columns = [f"score_{i}" for i in range(count)]
    others = pd.DataFrame(np.random.default_rng(0).normal(3, 1, (13, count)), scores.index, columns)
    figure = brainscore(table(13), others)
    assert_legible(figure)
    shown = words(figure)
    assert all(column.replace("_", " ") in shown for column in columns)
    assert "(score, 0 to 1)" not in shown


def test_brainscore_panels_from_the_written_tables(tmp_path, scores):
    joined = alignment.join_scores(tables.best_layers(table(1)), scores.iloc[:0])
    written = joined, alignment.correlate({}, scores)
    for i, frame in enumerate(written):
        frame.to_csv(tmp_path / f"{i}.csv", index=False)
    figure = panels.brainscore_panels(*(pd.read_csv(tmp_path / f"{i}.csv") for i in range(2)))
    assert "No network" in words(figure)


@pytest.mark.parametrize("networks", [2, 4, 13])
def test_correlation_by_layer(scores, networks):
    mi = table(networks).assign(k=47)
    rests_on = alignment.uncertainty(mi, scores.iloc[:, :2], samples=200)
    figure = panels.correlation_by_layer(rests_on)
    assert_legible(figure)
    shown = words(figure)
    if networks < 4:
        assert "no correlation can be computed" in shown
        return
    assert "neural vision" in shown
    cells = [text for text in figure.axes[0].texts if "$p$" in text.get_text()]
    assert len(cells) == rests_on["pearson_r"].notna().sum()
    assert ("a true $r$ of 0.5 is found" in shown) == (networks > 4)


def test_published_against_ours(scores):
    mi = tables.best_layers(table(13)).set_index("network")["mi_bits"]
    correlations = alignment.correlate(mi, scores)
    theirs = [
        {"version": "v2", "metric": metric, "n": 12, "pearson_r": -0.26, "p_value": 0.41}
        for metric in (*scores.columns, "taste")
    ]
    figure = panels.published_against_ours(alignment.against_published(theirs, correlations))
    assert_legible(figure)
    shown = words(figure)
    assert shown.count("−0.26 → ") == 7
    assert shown.count("not in this study") == 1
    ours = correlations.set_index("metric").loc["V2", "pearson_r"]
    assert f"{ours:.2f}".replace("-", "−") in shown
