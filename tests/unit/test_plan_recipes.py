"""What results come from, as one hash a result."""

import copy
import json

import pytest
from architectures import ROOT
from hypothesis import given
from hypothesis import strategies as st

from texalign.plan import reading, recipes

CONFIG = reading.checked({}, ROOT / "workflow/schemas/config.schema.yaml", "here")
MODELS = {
    name: {"architecture": name, "weights": "untrained", "layers": ["bn1"], "label": name, "seed": 0}
    for name in ("resnet18", "resnet34")
}
ORDER = list(recipes.STAGES)


def origin(stage, config=CONFIG, models=MODELS, names=("resnet18",), listing="images", edited=()):
    return recipes.origin(config, models, names, listing, stage, lambda script: (script, script in edited))


def changed_stages(**keys):
    """Stages before which something has changed."""
    return [stage for stage in (*ORDER, "after all") if origin(stage, **keys) != origin(stage)]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers() | st.none()))
def test_a_digest_hangs_on_no_order_of_keys(value):
    turned = {key: value[key] for key in reversed(list(value))}
    assert recipes.digest(value) == recipes.digest(turned)
    assert recipes.digest(value) != recipes.digest(value | {"e": 1})
    assert len(recipes.digest(value)) == 16


def test_every_stage_is_a_script():
    for script in recipes.STAGES:
        assert (ROOT / f"workflow/scripts/{script}.py").is_file()


@pytest.mark.parametrize(
    "key", [(stage, key) for stage in ORDER for key in recipes.STAGES[stage]], ids=lambda key: "-".join(key)
)
def test_a_key_counts_behind_its_stage_only(key):
    stage, name = key
    config = CONFIG | {name: json.dumps(CONFIG[name]) + "changed"}
    assert changed_stages(config=config) == [*ORDER[ORDER.index(stage) + 1 :], "after all"]


@pytest.mark.parametrize("script", ORDER)
def test_a_program_counts_behind_its_stage_only(script):
    assert changed_stages(edited=[script]) == [*ORDER[ORDER.index(script) + 1 :], "after all"]


def test_images_and_networks_count_everywhere():
    everywhere = [*ORDER, "after all"]
    assert changed_stages(listing="others") == everywhere
    assert changed_stages(names=("resnet18", "resnet34")) == everywhere
    models = copy.deepcopy(MODELS)
    models["resnet18"]["layers"].append("layer1")
    assert changed_stages(models=models) == everywhere


def test_what_no_number_comes_from_does_not_count():
    models = {name: entry | {"label": "other"} for name, entry in MODELS.items()} | {"vgg19": {}}
    assert changed_stages(models=models) == []
    for key in ("device", "figures", "synthesis", "networks", "study", "brainscore"):
        assert changed_stages(config=CONFIG | {key: "changed"}) == []
