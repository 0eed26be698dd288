"""Figures of mutual information against Brain-Score."""

import pandas as pd
import pytest
from legible import assert_legible, table, words

from texalign import alignment, tables
from texalign.figures import alignment as panels


def brainscore(mi, scores):
    joined = alignment.join_scores(tables.best_layers(mi), scores)
    correlations = alignment.correlate(joined.set_index("network")["mi_bits"], scores)
    return panels.brainscore_panels(joined, correlations)


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
    joined = alignment.join_scores(tables.best_layers(table(1)), scores.iloc[:0])
    written = joined, alignment.correlate({}, scores)
    for i, frame in enumerate(written):
        frame.to_csv(tmp_path / f"{i}.csv", index=False)
    figure = panels.brainscore_panels(*(pd.read_csv(tmp_path / f"{i}.csv") for i in range(2)))
    assert words(figure).count("$n$ = 0:") == 7
