"""The keyed join with Brain-Score, and its statistics."""

import math
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small import tidy

from texalign import alignment, tables
from texalign.brainscore import METRICS


@pytest.fixture(scope="module")
def mi(scores):
    values = np.random.default_rng(0).uniform(1, 3, len(scores))
    return pd.Series(values, index=scores.index)


def test_empty_cell_is_a_score_that_does_not_exist(brainscore_csv, tmp_path, mi):
    path = shutil.copy(brainscore_csv, tmp_path)
    text = (tmp_path / "brainscore.csv").read_text()
    (tmp_path / "brainscore.csv").write_text(text.replace("alexnet,0.171,", "alexnet,,"))
    table = alignment.correlate(mi, alignment.read_scores(path)).set_index("metric")
    assert table["n"].to_dict() == {metric: 12 if metric == "average_vision" else 13 for metric in METRICS}
    assert "alexnet" not in table.loc["average_vision", "networks"].split(";")


def test_a_table_without_rows_gives_no_network_a_score(tmp_path):
    (tmp_path / "none.csv").write_text(f"\ufeffnetwork, {', '.join(METRICS)}\n\n")
    joined = alignment.join_scores(tidy({"a": [1.0]}), alignment.read_scores(tmp_path / "none.csv"))
    assert not joined["scored"].any()
    assert alignment.correlate({"a": 1.0}, joined.set_index("network")[list(METRICS)])["n"].eq(0).all()


def test_networks_without_scores_are_listed_and_kept(scores):
    best = tables.best_layers(tidy({"vgg19": [2.0], "mine": [3.0], "alexnet": [1.0]}))
    joined = alignment.join_scores(best, scores)
    assert joined["network"].tolist() == ["alexnet", "mine", "vgg19"]
    assert joined["scored"].tolist() == [True, False, True]
    assert joined.loc[1, list(METRICS)].isna().all()
    assert joined.loc[2, "V1"] == scores.loc["vgg19", "V1"]


def test_join_is_by_key_and_never_by_position(scores):
    """A perfect correlation by key, which a join by position of two differently sorted tables destroys."""
    mi = (1 + 3 * scores["V1"]).sort_values()
    assert list(mi.index) != list(scores.index)
    table = alignment.correlate(mi, scores).set_index("metric")
    assert table.loc["V1", "pearson_r"] == pytest.approx(1)
    assert abs(stats.pearsonr(mi.to_numpy(), scores["V1"].to_numpy())[0]) < 0.9  # the trap


@settings(max_examples=25, deadline=None)
@given(first=st.permutations(range(13)), second=st.permutations(range(13)))
def test_no_row_order_shows_in_the_result(mi, scores, first, second):
    expected = alignment.correlate(mi, scores)
    shuffled = alignment.correlate(mi.iloc[first], scores.iloc[second])
    pd.testing.assert_frame_equal(expected, shuffled, check_exact=True)
    best = tables.best_layers(tidy({network: [value] for network, value in mi.iloc[first].items()}))
    joined = alignment.join_scores(best, scores.iloc[second]).set_index("network")
    pd.testing.assert_frame_equal(joined[list(METRICS)].loc[scores.index], scores, check_names=False)


def test_correlation_equals_scipy_and_fisher_by_hand(mi, scores):
    for _, row in alignment.correlate(mi, scores).iterrows():
        r, p = stats.pearsonr(mi, scores[row["metric"]])
        assert (row["pearson_r"], row["p_value"]) == pytest.approx((r, p), rel=1e-9)
        half = 1.959963984540054 / math.sqrt(13 - 3)
        interval = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval, rel=1e-9)
        assert row["spearman_rho"] == pytest.approx(stats.spearmanr(mi, scores[row["metric"]]).statistic)
        assert row["networks"] == ";".join(sorted(scores.index, key=tables.natural))


def test_p_values_of_table_2_follow_from_its_r():
    # MI was not published; r and p were. With n = 12 and this t-test they belong together.
    published = dict(
        zip(
            [-0.130, -0.165, -0.029, -0.229, -0.262, -0.063, -0.104],
            [0.68, 0.60, 0.92, 0.47, 0.41, 0.84, 0.74],
            strict=True,
        )
    )
    x = np.random.default_rng(1).normal(size=(12, 2))
    a = (x[:, 0] - x[:, 0].mean()) / np.linalg.norm(x[:, 0] - x[:, 0].mean())
    b = x[:, 1] - x[:, 1].mean()
    b -= a * (a @ b)
    b /= np.linalg.norm(b)
    keys = [f"n{i}" for i in range(12)]
    for r, p in published.items():
        scores = pd.DataFrame(dict.fromkeys(METRICS, r * a + math.sqrt(1 - r * r) * b), index=keys)
        row = alignment.correlate(pd.Series(a, keys), scores).iloc[0]
        assert row["pearson_r"] == pytest.approx(r)
        assert row["p_value"] == pytest.approx(p, abs=0.0101)  # the paper truncates


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_networks_give_nan_and_say_n(mi, scores, n):
    table = alignment.correlate(mi.iloc[:n], scores)
    assert table["n"].tolist() == [n] * 7
    numbers = ["pearson_r", "p_value", "p_holm", "ci_low", "ci_high", "spearman_rho"]
    assert table[numbers].isna().all(axis=None)


def test_three_networks_have_r_but_no_interval(mi, scores):
    table = alignment.correlate(dict(mi.iloc[:3]), scores)
    assert table["pearson_r"].notna().all()
    assert table["ci_low"].isna().all()


def test_constant_and_perfect_input(mi, scores):
    assert alignment.correlate(mi * 0 + 2, scores)["pearson_r"].isna().all()
    perfect = alignment.correlate(scores["IT"], scores).set_index("metric").loc["IT"]
    assert perfect[["pearson_r", "ci_low", "ci_high"]].tolist() == pytest.approx([1, 1, 1])


def test_a_network_given_twice_is_refused(mi, scores):
    with pytest.raises(ValueError, match="alexnet appears twice"):
        alignment.correlate(pd.concat([mi, mi.iloc[:1]]), scores)


def information(mi):
    """A table of three layers, of which the second is best."""
    rows = [(n, n.rstrip("0123456789"), f"L{i}", b - abs(i - 2)) for n, b in mi.items() for i in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["network", "family", "layer", "mi_bits"]).assign(k=47)


def test_uncertainty_of_the_best_layer_is_that_of_the_correlation(mi, scores):
    best, scores = scores.index[:12], scores.iloc[:, :3]
    table = alignment.uncertainty(information(mi[best]), scores, samples=500)
    assert table["layer"].drop_duplicates().tolist() == ["best", "L1", "L2", "L3"]
    rows = table[table["layer"] == "best"].set_index("metric")
    expected = alignment.correlate(mi[best], scores).set_index("metric")
    for ours, theirs in (
        ("pearson_r", "pearson_r"),
        ("p_value", "p_value"),
        ("spearman_rho", "spearman_rho"),
        ("fisher_low", "ci_low"),
        ("fisher_high", "ci_high"),
    ):
        np.testing.assert_allclose(rows[ours], expected[theirs], rtol=1e-9)
    assert (rows["p_permutation"] - rows["p_value"]).abs().max() < 0.1
    assert (rows["p_any_layer"] >= rows["p_permutation"] - 0.1).all()
    assert (rows["p_holm"] >= rows["p_bh"] - 1e-12).all()
    # Every layer differs from the best by a constant: the same r.
    np.testing.assert_allclose(table.loc[table["layer"] == "L1", "pearson_r"], rows["pearson_r"])


def test_uncertainty_names_the_network_that_makes_the_correlation(scores):
    bits = pd.Series(1.0, index=scores.index) + 0.001 * np.arange(len(scores))
    bits["resnet152"] = 5.0
    table = alignment.uncertainty(information(bits), scores[["neural_vision"]], samples=200)
    rows = table.set_index(["layer", "metric"])
    row = rows.loc[("best", "neural_vision")]
    assert (row["pivotal"], row["pivotal_family"]) == ("resnet152", "resnet")
    assert row["r_without_one_low"] <= row["pearson_r"] <= row["r_without_one_high"]


def test_uncertainty_of_too_few_networks_is_empty_numbers(mi, scores):
    table = alignment.uncertainty(information(mi.iloc[:2]), scores, samples=100)
    assert table["n"].eq(2).all()
    assert table.drop(columns=["layer", "metric", "n", "pivotal", "pivotal_family"]).isna().all(axis=None)
    assert table["pivotal"].eq("").all()


def selectable():
    """Two networks that agree on L2, one whose best is L3, and a control that is best at L1."""
    bits = {"a": [0.1, 0.9, 0.5], "b": [0.2, 0.8, 0.4], "c": [0.3, 0.5, 0.7], "d": [0.6, 0.1]}
    return tidy(bits).assign(control=lambda rows: rows["network"] == "d")


def test_a_fixed_layer_is_chosen_by_the_other_networks():
    found = alignment.selected_layers(selectable()).set_index(["selection", "network"])["layer"]
    assert found["best"].to_dict() == {"a": "L2", "b": "L2", "c": "L3", "d": "L1"}
    # Means of the others: for a, (L2 0.65, L3 0.55); for c, (0.85, 0.45); for d, which has no L3, L2.
    assert found["fixed"].to_dict() == {"a": "L2", "b": "L2", "c": "L2", "d": "L2"}
    assert found["last"].to_dict() == {"a": "L3", "b": "L3", "c": "L3", "d": "L2"}
    alone = alignment.selected_layers(selectable().query("network == 'a'"))
    assert set(alone["selection"]) == {"best", "last"}


def test_scores_against_each_way_to_choose():
    scores = pd.DataFrame({"V1": [1.0, 2, 3]}, index=pd.Index(list("abc"), name="network"))
    found = alignment.by_selection(alignment.selected_layers(selectable()), scores)
    assert found["selection"].tolist() == ["best", "fixed", "last"]
    assert found["layers"].tolist() == ["L2;L2;L3", "L2;L2;L2", "L3;L3;L3"]
    bits = [0.9, 0.8, 0.7], [0.9, 0.8, 0.5], [0.5, 0.4, 0.7]
    expected = [stats.pearsonr([1, 2, 3], own).statistic for own in bits]
    assert found["pearson_r"].tolist() == pytest.approx(expected)


def agreement():
    seen = {("a", "L1"): 0.2, ("a", "L2"): 0.3, ("b", "L1"): 0.1, ("c", "L1"): 0.4, ("d", "L1"): 0.9}
    rows = [
        ("people", words, level, *place, score + more - less)
        for words, less in (("all words", 0), ("no class words", 0.5))
        for level, more in (("image", 0), ("class", 0.1))
        for place, score in seen.items()
    ]
    columns = ["reference", "words", "level", "network", "layer", "score"]
    return pd.DataFrame(rows, columns=columns).assign(control=lambda rows: rows["network"] == "d")


def test_agreement_with_people_against_scores():
    """The best layer of each network counts; a control does not."""
    scores = pd.DataFrame({"V1": [1.0, 2, 3, 9]}, index=pd.Index(list("abcd"), name="network"))
    found = alignment.people_against_scores(agreement(), scores)
    assert found[["reference", "words", "level"]].to_numpy().tolist() == [
        ["people", words, level] for words in ("all words", "no class words") for level in ("image", "class")
    ]
    assert found["n"].tolist() == [3] * 4
    np.testing.assert_allclose(found["pearson_r"], stats.pearsonr([1, 2, 3], [0.3, 0.1, 0.4]).statistic)


def test_agreement_stands_in_the_summary():
    summary = pd.DataFrame({"network": ["b", "a", "e"], "layer": ["L1", "L2", "L1"], "mi_bits": [1, 2, 3]})
    found = alignment.with_people(summary, agreement())
    assert found.columns.tolist() == [
        *summary.columns,
        *("human_people_image", "human_people_class"),
        *("human_people_no_class_words_image", "human_people_no_class_words_class"),
    ]
    np.testing.assert_allclose(found["human_people_class"], [0.2, 0.4, np.nan])
    np.testing.assert_allclose(found["human_people_no_class_words_image"], [-0.4, -0.2, np.nan])


def test_published_numbers_stand_beside_ours(mi, scores):
    theirs = [
        {"version": "v2", "metric": "V2", "n": 12, "pearson_r": -0.262, "p_value": 0.41},
        {"version": "v2", "metric": "taste", "n": 12, "pearson_r": 0.5, "p_value": 0.1},
    ]
    ours = alignment.correlate(mi, scores).set_index("metric").loc["V2"]
    table = alignment.against_published(theirs, alignment.correlate(mi, scores)).set_index("metric")
    row = table.loc["V2"]
    assert (row["published_n"], row["published_r"], row["published_p"]) == (12, -0.262, 0.41)
    assert (row["n"], row["pearson_r"], row["ci_low"]) == (13, ours["pearson_r"], ours["ci_low"])
    assert row["r_difference"] == pytest.approx(ours["pearson_r"] + 0.262)
    # The interval that docs/results.md quotes.
    assert (row["published_low"], row["published_high"]) == pytest.approx((-0.73, 0.37), abs=0.005)
    assert np.isnan(table.loc["taste", ["pearson_r", "r_difference"]].astype(float)).all()
