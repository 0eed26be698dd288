"""Variants and the grid of choices, and the studies that were published."""

import pytest
from architectures import ROOT

from texalign import InputError, networks
from texalign.plan import paths, published, reading, variants

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def config(**keys):
    return reading.checked(keys, SCHEMA, "here")


def test_the_default_study_is_as_written_and_shares_all_of_its_files():
    multiverse = config(**reading.read_yaml(ROOT / "config/multiverse.yaml"))
    own, named = variants.own(multiverse), variants.named(multiverse)
    assert named["as_written"] == own
    assert variants.coordinates(own) == paths.coordinates(multiverse)
    released = named["as_released"]
    assert paths.maps(released) == "relu-dtd-warm0"
    assert (released["clustering"], released["join"]) == ("rdm_rows", "position")


def test_the_grid_holds_every_combination_once():
    found = variants.specifications(config(**reading.read_yaml(ROOT / "config/multiverse.yaml")))
    sets = [tuple(choices.items()) for choices in found.values()]
    # 288 of the grid, among them both variants, one of which is the study itself.
    assert len(set(sets)) == len(found) == 288
    assert set(list(found)[:2]) == {"as_written", "as_released"}
    assert "study" not in found


def test_a_study_without_variants_has_no_specifications():
    assert variants.specifications(config()) == {}
    assert variants.grid(config()) == []


def test_a_variant_says_what_differs_and_null_is_a_value():
    study = config(bn_warmup=3, variants={"cold": {"bn_warmup": None}, "cosine": {"clustering": "cosine"}})
    named = variants.named(study)
    assert (named["cold"]["bn_warmup"], named["cosine"]["bn_warmup"]) == (None, 3)
    found = variants.specifications(study)
    assert list(found) == ["cold", "cosine", "study"]


def test_choices_that_share_a_stage_share_its_files():
    named = variants.named(
        config(variants={"a": {"k": 20}, "b": {"join": "position"}, "c": {"estimator": "plugin"}})
    )
    a, b, c = (variants.coordinates(choices) for choices in named.values())
    assert a == b
    assert {key for key in a if a[key] != c[key]} == {"estimator"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"variants": {"study": {}}}, "variants: study is the name of the study's own"),
        (
            {"variants": {"many": {"k": 101}}},
            "variants: many: k: 101 clusters are not followed; use 2 ... 100",
        ),
        ({"multiverse": {"k": [None, 300]}}, "multiverse: k: 300 clusters are not followed"),
    ],
)
def test_what_cannot_be_is_one_line(keys, message):
    with pytest.raises(InputError, match=message):
        variants.check(config(**keys), "here")


@pytest.mark.parametrize(
    "keys", [{"variants": {"a": {"readuot": "relu"}}}, {"multiverse": {"join": ["both"]}}]
)
def test_an_unknown_choice_is_refused(keys):
    with pytest.raises(InputError, match=r"allowed|not one of"):
        config(**keys)


def test_every_normalisation_is_one_that_networks_know():
    allowed = reading.read_yaml(SCHEMA)["properties"]["normalisation"]["enum"]
    assert set(allowed) == {"weights", *networks.NORMALISATIONS}


# ---------------------------------------------------------------- what was published

PUBLISHED = published.read(ROOT / "resources/published.csv")


def test_both_papers_are_there_and_each_study_knows_its_own():
    v2 = published.of_study(PUBLISHED, config())
    assert [row["version"] for row in v2] == ["v2"] * 7
    assert {row["metric"]: row["pearson_r"] for row in v2}["V2"] == -0.262
    v1 = published.of_study(PUBLISHED, config(**reading.read_yaml(ROOT / "config/paper-v1.yaml")))
    assert [(row["version"], row["n"]) for row in v1] == [("v1", 13)] * 7
    assert {row["metric"]: row["p_value"] for row in v1}["behavior_vision"] == 0.91


@pytest.mark.parametrize(
    "keys",
    [
        {"networks": ["alexnet"]},
        {"dataset": {"source": "procedural"}},
        {"dataset": {"source": "dtd", "per_class": 20}},
    ],
)
def test_another_study_is_held_against_nothing(keys):
    assert published.of_study(PUBLISHED, config(**keys)) == []


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['version']}-{row['metric']}")
def test_published_p_follows_from_published_r(row):
    from texalign.statistics import correlation

    n, r = row["n"], row["pearson_r"]
    p = 1 - correlation.integrate.quad(correlation.density, -abs(r), abs(r), args=(0, n))[0]
    assert row["p_value"] == pytest.approx(p, abs=0.0101)  # the papers truncate
