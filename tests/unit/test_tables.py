"""Tables and the order of their rows: the best layer of each network."""

import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import tidy
from studies import REPOSITORY

from texalign import InputError, tables

NAMES = [
    "001",
    "NA",
    "18",
    "True",
    "1e5",
    "None",
    " lead",
    "trail ",
    "",
    "nan",
    "-",
    "1_0",
    '"',
    "a,b",
    "#x",
    "图",
]


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


@pytest.mark.parametrize("column", sorted(tables.TEXTS))
def test_names_come_back_as_they_were_written(tmp_path, column):
    tables.write(
        tmp_path / "t.csv", [{column: name, "k": i, "mi_bits": None} for i, name in enumerate(NAMES)]
    )
    read = tables.read(tmp_path / "t.csv")
    assert list(read[column]) == NAMES
    assert read["k"].dtype == int
    assert read["mi_bits"].isna().all()


@settings(deadline=None)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8))
)
def test_any_name_comes_back(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    tables.write(path, pd.DataFrame({"network": pd.Series(names, dtype=object), "loss": 0.5}))
    assert list(tables.read(path)["network"]) == names


def test_every_name_that_a_table_of_a_study_holds_is_a_text(finished_study):
    """All columns of all tables: those that pandas would take for texts are known as such."""
    for path in finished_study.folder.glob("results/**/*.csv"):
        plain = pd.read_csv(path, nrows=50)
        told = {column for column in plain if not pd.api.types.is_numeric_dtype(plain[column])}
        told -= {column for column in plain if plain[column].isna().all()}
        assert told <= tables.TEXTS | {"control", "scored", "best"}, path


def test_every_column_of_a_study_is_explained(finished_study):
    """In the documentation, by its name."""
    page = "".join(path.read_text() for path in REPOSITORY.glob("docs/*.md"))
    scores = set(pd.read_csv(REPOSITORY / "resources/brainscore.csv", nrows=0))
    for path in finished_study.folder.glob("results/**/*.csv"):
        if "synthesis" not in path.parts:
            columns = set(pd.read_csv(path, nrows=0)) - scores
            assert {column for column in columns if f"`{column}`" not in page} == set(), path


# ---------------------------------------------------------------- damage


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.csv"
    tables.write(path, [{"network": name, "mi_bits": 0.5} for name in "abcd"])
    return path


def test_half_a_table_with_its_old_date_is_refused(path):
    content, times = path.read_bytes(), path.stat()
    for cut in range(1, len(content)):
        path.write_bytes(content[:-cut])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        with pytest.raises(InputError, match=r"x\.csv: not as it was written \(\d rows, 4 were\); delete it"):
            tables.read(path)


def test_rows_in_another_order_and_a_number_by_hand_are_refused(path):
    head, *rows = path.read_text().splitlines(keepends=True)
    for other in ([head, *rows[::-1]], [head, *rows[:3], "d,0.6\n"], [head, *rows, rows[0]]):
        path.write_text("".join(other))
        with pytest.raises(InputError, match="not as it was written"):
            tables.read(path)


@pytest.mark.parametrize("beside", [None, "", "{", "[]", "null", "{}", '{"sha256": 3}'])
def test_a_table_whose_side_file_is_gone_or_broken_is_refused(path, beside):
    side = path.with_name("x.csv.json")
    side.unlink() if beside is None else side.write_text(beside)
    with pytest.raises(
        InputError, match=r"x\.csv: .*; delete it and run again, or write it anew .*x\.csv\.json"
    ):
        tables.read(path)


def test_a_side_file_of_an_older_table_is_refused_and_its_date_does_not_count(path, tmp_path):
    old = path.with_name("x.csv.json").read_bytes()
    os.utime(path.with_name("x.csv.json"), (1, 1))
    assert len(tables.read(path)) == 4
    tables.write(path, [{"network": "a", "mi_bits": 0.5}])
    path.with_name("x.csv.json").write_bytes(old)
    with pytest.raises(InputError, match=r"not as it was written \(1 rows, 4 were\)"):
        tables.read(path)
