"""Tables of scores: the published cells, columns of one's own, and what is refused."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
from architectures import ROOT
from scipy import stats

from texalign import InputError, alignment, brainscore
from texalign.brainscore import METRICS
from texalign.plan import reading

LEADERBOARD = ROOT.parent / "shared/data/brainscore/leaderboard_08092025.csv"
SCHEMA = ROOT / "workflow/schemas/scores.schema.yaml"


def read_resource(name):
    columns = reading.checked(reading.read_yaml(ROOT / f"resources/{name}.yaml"), SCHEMA, name)
    return brainscore.read(ROOT / f"resources/{name}.csv", columns)


def test_csv_holds_the_published_cells(scores):
    assert scores.shape == (13, 7)
    assert list(scores.columns) == list(METRICS)
    published = {
        ("alexnet", "behavior_vision"): 0.06,
        ("densenet121", "V2"): 0.275,
        ("densenet201", "V1"): 0.34,
        ("inception_v3", "average_vision"): 0.33,
        ("mobilenet_v2", "IT"): 0.328,
        ("resnet18", "V4"): 0.377,
        ("resnet50", "average_vision"): 0.362,
        ("resnet101", "neural_vision"): 0.081,
        ("resnet152", "V4"): 0.012,
        ("vgg16", "behavior_vision"): 0.354,
        ("vgg19", "V2"): 0.13,
    }
    assert {cell: scores.loc[cell] for cell in published} == published


def test_published_averages_agree_with_their_parts(scores):
    # Average vision is the mean of neural and behavioural vision: a swapped or mistyped cell would show.
    mean = (scores["neural_vision"] + scores["behavior_vision"]) / 2
    np.testing.assert_allclose(scores["average_vision"], mean, atol=0.0011)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("vgg16,", "vgg19,", ["vgg19", "two rows"]),
        ("network,", "V4,network,", ["V4 stands twice in its header"]),
        (",V4,", ",V4,note,note,", ["note stands twice in its header"]),
        ("vgg16,", ",", ["row 12", "network is empty"]),
        (",V4,", ",V44,", ["no column V4"]),
        ("0.171", "high", ["alexnet", "average_vision", "'high'"]),
        ("0.171", "1.5", ["alexnet", "average_vision", "'1.5'"]),
        ("0.171", "nan", ["alexnet", "'nan'"]),
        ("0.171", "-0.1", ["alexnet", "'-0.1'"]),
        ("0.171,", '"0.171,', ["not a readable CSV"]),
        ("0.171,", "", ["row 1 has 15 cells, and its header 16"]),
        ("0.171,", "0,171,", ["row 1 has 17 cells, and its header 16"]),
    ],
)
def test_bad_tables_are_refused_in_one_line(brainscore_csv, tmp_path, old, new, names):
    path = tmp_path / "scores.csv"
    path.write_text(brainscore_csv.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as error:
        alignment.read_scores(path)
    message = str(error.value)
    assert "\n" not in message
    assert all(name in message for name in [str(path), *names])


def test_names_of_networks_are_texts(brainscore_csv, tmp_path):
    names = ["001", "NA", "18", "True", "1e5", "None", "nan"]
    header, row = brainscore_csv.read_text().splitlines()[:2]
    lines = [header, *(row.replace("alexnet", name) for name in names)]
    (tmp_path / "scores.csv").write_text("\n".join(lines))
    scores = alignment.read_scores(tmp_path / "scores.csv")
    assert list(scores.index) == names
    best = pd.DataFrame({"network": names[::-1], "mi_bits": 1.0})
    assert alignment.join_scores(best, scores)["scored"].all()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_is_told(brainscore_csv, tmp_path, encoding):
    (tmp_path / "scores.csv").write_text(brainscore_csv.read_text() + "é", encoding=encoding)
    with pytest.raises(InputError, match=r"scores\.csv: is not UTF-8 text \(byte 0x\w\w\); save it as UTF-8"):
        alignment.read_scores(tmp_path / "scores.csv")


def test_missing_or_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.csv").touch()
    for name in ("absent.csv", "empty.csv"):
        with pytest.raises(InputError, match=name):
            alignment.read_scores(tmp_path / name)


# ---------------------------------------------------------------- columns of one's own


def test_the_seven_are_the_default_with_what_stands_beside_them():
    found = read_resource("brainscore")
    assert tuple(found.metrics) == METRICS
    assert found.names["resnet101"] == "resnet_101_v1"
    assert found.counts["resnet152"]["n_neural_vision"] == 4
    plain = brainscore.read(ROOT / "resources/brainscore.csv")
    assert plain.values == found.values
    assert plain.names["resnet101"] == "resnet101"


def test_texture_scores_of_the_same_networks():
    found, seven = read_resource("brainscore_texture"), read_resource("brainscore")
    assert list(found.values) == list(seven.values)
    assert len(found.metrics) == 11
    assert math.isnan(found.values["resnet18"]["Marques2020_texture_modulation"])
    joined = brainscore.join({"seven": seven, "texture": found})
    assert joined.metrics == seven.metrics + found.metrics
    assert joined.values["vgg16"]["FreemanZiemba2013_V2"] == 0.294
    assert joined.names == seven.names


@pytest.mark.skipif(not LEADERBOARD.is_file(), reason=f"no leaderboard at {LEADERBOARD}")
def test_texture_scores_are_the_leaderboards_cells():
    with open(LEADERBOARD, newline="") as file:
        rows = list(csv.reader(file))[1:]
    found = read_resource("brainscore_texture")
    # The row numbers of Supplementary Table 5, one of which several networks of the same name share.
    row = {"alexnet": 290, "densenet121": 128, "resnet152": 228, "vgg19": 148}
    for network, number in row.items():
        cells = dict(zip(rows[0], rows[number - 2], strict=True))
        assert cells["Model"] == found.names[network]
        assert float(cells["ImageNet-top1"]) == found.values[network]["ImageNet_top1"]
        cell = cells["FreemanZiemba2013.V2-pls"]
        expected = float(cell) if cell not in ("", "X") else math.nan
        assert found.values[network]["FreemanZiemba2013_V2"] == pytest.approx(expected, nan_ok=True)


def test_columns_of_ones_own(tmp_path):
    (tmp_path / "mine.csv").write_text("network,seconds,trials,who,other\na,-3.5,12,Ann,x\nb,,,,y\n")
    columns = {"seconds": {"type": "number"}, "trials": {"type": "count"}, "who": {"type": "name"}}
    found = brainscore.read(tmp_path / "mine.csv", columns)
    assert found.metrics == ["seconds"]
    assert found.values["a"] == {"seconds": -3.5}
    assert math.isnan(found.values["b"]["seconds"])
    assert found.counts["a"] == {"trials": 12}
    assert found.names == {"a": "Ann", "b": "b"}
    with pytest.raises(InputError, match=r"network a, column trials: '12' is not a number from 0 to 1"):
        brainscore.read(tmp_path / "mine.csv", {"trials": {"type": "score"}})
    with pytest.raises(InputError, match=r"column seconds: '-3.5' is not a whole number"):
        brainscore.read(tmp_path / "mine.csv", {"seconds": {"type": "count"}})
    with pytest.raises(InputError, match="column seconds is in one too"):
        brainscore.join({"one": found, "two": found})


# ---------------------------------------------------------------- the join by position


def test_position_gives_four_networks_the_scores_of_others(scores):
    found = read_resource("brainscore")
    networks = [network for network in found.values if network != "mobilenet_v2"]
    pairs = brainscore.by_position(networks, found.names)
    wrong = {network: other for network, other in pairs.items() if network != other}
    expected = {"resnet101": "resnet18", "resnet152": "resnet34", "resnet18": "resnet101"}
    assert wrong == expected | {"resnet34": "resnet152"}
    paired = alignment.paired(scores, pairs)
    right = scores.loc[paired.index]
    r = [round(stats.pearsonr(paired[metric], right[metric]).statistic, 2) for metric in METRICS]
    assert r == [0.77, 0.53, -0.05, 0.98, 0.65, -0.11, 0.28]


def test_position_is_the_key_where_both_orders_agree():
    assert brainscore.by_position(["b", "a"], {"a": "A", "b": "B"}) == {"a": "a", "b": "b"}
