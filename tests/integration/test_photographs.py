"""The study on real photographs with real weights: does it find what is known to be there?"""

import pandas as pd
import pytest
import yaml
from studies import REPOSITORY, Study

DATA = REPOSITORY.parent / "shared" / "data"

pytestmark = [
    pytest.mark.photographs,
    pytest.mark.skipif(
        not (DATA / "dtd-sample").is_dir(),
        reason=f"no photographs and weights at {DATA}: nothing real to measure",
    ),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Mutual information of three pretrained networks and a control, 7 classes of 30 photographs."""
    models = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())
    entries = {key: models[key] for key in ("efficientnet_lite0", "mobilenet_v2", "resnet18_untrained")}
    entries["mobilenet_v2"] |= {
        "weights": str(DATA / "weights/mobilenet_v2-imagenet.pth"),
        "sha256": "71e3613da10c2b14a6ae71ead0b6bd8d6114d9be9863edf78ccd7153ba9042bf",
    }
    entries["squeezenet1_1"] = {
        "architecture": "squeezenet1_1",
        "weights": str(DATA / "weights/squeezenet1_1-imagenet.pth"),
        "sha256": "75a9cbb34af4c166b566327b6db6fb0f09336008c535fe8f6ef2157809d24738",
        "layers": ["features.0", "features.6.expand3x3", "features.9.expand3x3"],
    }
    study = Study(
        tmp_path_factory.mktemp("photographs"),
        {
            "dataset": {"source": "folder", "path": str(DATA / "dtd-sample"), "per_class": 30},
            "image": {"size": 224},
            "networks": ["efficientnet_lite0", "mobilenet_v2", "squeezenet1_1"],
            "controls": ["resnet18_untrained"],
        },
        entries,
    )
    study.make("mutual_information")
    return pd.read_csv(study / "results/tiny/mutual_information.csv").set_index(["network", "layer"])


def test_information_of_a_pretrained_network_rises_with_depth_to_about_half_of_the_bound(table):
    share = (table["mi_bits"] / table["h_class_bits"]).loc["efficientnet_lite0"]
    assert share["L1"] < 0.15
    assert share["L1"] < share["L2"] < share["L4"] < share["L5"]
    assert 0.4 < share["L5"] < 0.75


def test_information_of_an_untrained_network_stays_flat_near_the_bottom(table):
    share = (table["mi_bits"] / table["h_class_bits"]).loc["resnet18_untrained"]
    assert share.max() < 0.15
    assert share.max() - share.min() < 0.1


@pytest.mark.parametrize(
    ("network", "shallow", "deep"), [("mobilenet_v2", "L1", "L2"), ("squeezenet1_1", "L1", "L3")]
)
def test_deep_layers_of_other_pretrained_networks_tell_more(table, network, shallow, deep):
    error = table["mi_std_bits"].loc[network].max()
    assert table["mi_bits"].loc[network, deep] > table["mi_bits"].loc[network, shallow] + 2 * error


def test_shuffled_classes_are_told_nothing(table):
    assert (table["mi_null_bits"].abs() < 3 * table["mi_null_std_bits"] + 0.02).all()


def test_intervals_lie_around_their_numbers_and_deep_layers_above_chance(table):
    assert (table["mi_low_bits"] <= table["mi_corrected_bits"]).all()
    assert (table["mi_corrected_bits"] <= table["mi_high_bits"]).all()
    deep = table.loc[("efficientnet_lite0", "L5")]
    assert deep["mi_low_bits"] > 0.4 * deep["h_class_bits"]
    assert deep["mi_null_z"] > 20
    # Near 30 textures a class, both corrections of the bias agree within their errors.
    difference = (table["mi_corrected_bits"] - table["mi_bits"]).abs()
    assert (difference < table["mi_high_bits"] - table["mi_low_bits"]).all()
