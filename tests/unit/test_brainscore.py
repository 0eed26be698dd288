"""The table of Brain-Scores: the published cells, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from texalign import InputError, alignment
from texalign.brainscore import METRICS


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
        ("0.171,", "", ["row 1 has 7 cells, and its header 8"]),
        ("0.171,", "0,171,", ["row 1 has 9 cells, and its header 8"]),
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
