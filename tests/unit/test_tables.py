"""Tables and the order of their rows: the best layer of each network."""

import pandas as pd
import pytest
from small import tidy

from texalign import tables


def test_best_layer_is_the_highest_and_the_earliest_of_equals():
    table = tidy({"b": [1.0, 3.0, 3.0], "a": [2.0, 1.0], "c": [0.0] * 9 + [1.0]})
    for seed in range(5):
        best = tables.best_layers(table.sample(frac=1, random_state=seed))
        assert best[["network", "layer"]].to_numpy().tolist() == [["a", "L1"], ["b", "L2"], ["c", "L10"]]
    assert list(best.columns) == list(table.columns)


def test_best_layer_of_ten_equals_is_not_the_alphabetical_one():
    assert tables.best_layers(tidy({"a": [0.0, 1.0] + [0.5] * 7 + [1.0]}))["layer"].item() == "L2"


@pytest.mark.parametrize("column", ["readout", "k", "network"])
def test_mixed_conditions_are_refused(column):
    table = tidy({"a": [1.0, 2.0]})
    other = table.assign(**{"readout": {"readout": "relu"}, "k": {"k": 10}}.get(column, {}))
    with pytest.raises(ValueError, match=column if column != "network" else "two rows"):
        tables.best_layers(pd.concat([table, other]))
