"""The table of further networks: each has five layers where it says, and its scores are the leaderboard's."""

import csv
import re

import pytest
import yaml
from architectures import META, ROOT, TABLE

from texalign import brainscore, builders, depth, networks, weights
from texalign.plan import reading
from texalign.readout import layer_shapes

TEXT = (ROOT / "config/models-more.yaml").read_text()
MORE = yaml.safe_load(TEXT)
MANY = yaml.safe_load((ROOT / "config/many.yaml").read_text())
LEADERBOARD = ROOT.parent / "shared/data/brainscore/leaderboard_08092025.csv"

#: Built by `make test`; the others by `make test-runs`.
FEW = ("squeezenet1_1", "resnet50_l2_eps3", "vit_b_16")

EACH = [key if key in FEW else pytest.param(key, marks=pytest.mark.runs) for key in MORE]


def table(name):
    with open(ROOT / f"resources/{name}.csv", newline="", encoding="utf-8") as file:
        return {row["network"]: row for row in csv.DictReader(file)}


def test_the_table_is_of_many_kinds_and_beside_the_other():
    assert len(MORE) >= 24
    assert len({entry["family"] for entry in MORE.values()}) >= 10
    assert not MORE.keys() & TABLE.keys()
    reading.checked(MORE, ROOT / "workflow/schemas/models.schema.yaml", "more")
    published = yaml.safe_load((ROOT / "config/config.yaml").read_text())["networks"]
    assert MANY["networks"] == [*published, *MORE]


@pytest.mark.parametrize("key", EACH)
def test_five_layers_are_read_at_comparable_depth(key):
    """Built without numbers; the depths behind the layers are those that are found."""
    entry = MORE[key]
    if entry["architecture"].startswith("timm/"):
        builders.provide_torchvision()
        pytest.importorskip("timm", reason="timm is not installed")
    options = (entry.get("options") or {}) | ({"init_weights": False} if key == "googlenet" else {})
    if key == "regnet_y_400mf":  # it looks at its numbers when it is built
        module = builders.build(entry["architecture"], options).to("meta")
    else:
        with META:
            module = builders.build(entry["architecture"], options)
    module = module.eval().requires_grad_(False)
    network = networks.Network(module, networks.name_layers(module, entry["layers"]), device=META)
    shapes = layer_shapes(network, 224)
    assert len(shapes) == 5
    assert all(channels <= 1024 and height * width >= 49 for channels, height, width in shapes.values())
    found = list(depth.of(module, entry["layers"]).values())
    assert found == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.07)
    body = re.search(rf"^{key}:\n((?:  .*\n)+)", TEXT, re.MULTILINE)[1]
    assert re.findall(r"  # (\d\.\d\d)$", body, re.MULTILINE) == [f"{value:.2f}" for value in found]


@pytest.mark.parametrize("key", MORE)
def test_weights_have_a_place_and_a_hash_or_a_lock(key):
    source = MORE[key]["weights"]
    assert weights.is_published(source)
    if weights.is_on_hub(source):
        assert weights.hub_url(source).startswith("http")
        name = MORE[key]["architecture"].removeprefix("timm/")
        assert name in source or name == "resnet50"
    assert weights.is_enum(source) or weights.is_locked(MORE[key]) or "sha256" in MORE[key]


# ---------------------------------------------------------------- scores


def test_scores_are_those_of_the_twelve_and_of_what_the_leaderboard_has_exactly():
    more, old, mapping = table("brainscore_more"), table("brainscore"), table("brainscore_more_mapping")
    assert {name: more[name] for name in old} == old
    exact = {name: row for name, row in mapping.items() if row["match"] == "exact"}
    assert set(more) - set(old) == set(exact)
    assert list(mapping) == sorted(MORE)
    assert {row["match"] for row in mapping.values()} == {"exact", "likely", "none"}
    assert all(more[name]["model"] == row["model"] for name, row in exact.items())
    assert all(row["doubts"] for row in mapping.values() if row["match"] != "none")
    columns = yaml.safe_load((ROOT / "resources/brainscore_more.yaml").read_text())
    assert columns == yaml.safe_load((ROOT / "resources/brainscore.yaml").read_text())
    assert len(brainscore.read(ROOT / MANY["brainscore"], columns).values) == len(more)


@pytest.mark.skipif(not LEADERBOARD.is_file(), reason=f"no leaderboard at {LEADERBOARD}")
def test_scores_are_the_leaderboards_cells():
    with open(LEADERBOARD, newline="") as file:
        rows = list(csv.reader(file))
    more, header = table("brainscore_more"), rows[1]
    for name, row in table("brainscore_more_mapping").items():
        if not row["row"]:
            continue
        cells = dict(zip(header, rows[int(row["row"]) - 1], strict=True))
        assert cells["Model"] == row["model"]
        for metric in brainscore.METRICS if row["match"] == "exact" else ():
            assert float(more[name][metric]) == float(cells[metric])
