"""A config and a model table → checked, whole, and in one order."""

import copy
import json
import re

import pytest
import yaml
from architectures import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from snakemake.common.configfile import load_configfile

from texalign import InputError
from texalign.plan import reading
from texalign.plan.config import canonical, fill_defaults, merge_tables, quoted_on

CONFIG = ROOT / "workflow/schemas/config.schema.yaml"
SCHEMA = {
    "properties": {
        "a": {"default": 1},
        "b": {"properties": {"c": {"default": [1, 2]}, "d": {"default": {}}}, "default": {}},
    }
}
ENTRIES = {"additionalProperties": {"properties": {"seed": {"default": 0}}}}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
)
MAPPINGS = st.dictionaries(st.sampled_from(["e", "f", "z", ""]), VALUES, max_size=4)


def shuffled(value, order):
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order.sample(list(value), len(value))}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


def text(value):
    """What tells two orders of keys apart, as snakemake's comparison by text does."""
    return json.dumps(value)


@given(MAPPINGS, st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(data, order):
    assert text(canonical(shuffled(data, order), SCHEMA)) == text(canonical(data, SCHEMA))


@given(MAPPINGS)
def test_canonical_twice_is_canonical_once_and_leaves_its_data_alone(data):
    before = copy.deepcopy(data)
    once = canonical(data, SCHEMA)
    assert text(canonical(once, SCHEMA)) == text(once)
    assert text(data) == text(before)
    assert {key: once[key] for key in data} == data


def test_defaults_are_filled_at_every_level_and_kept_apart():
    first, second = canonical({}, SCHEMA), canonical({"b": {"c": [3]}}, SCHEMA)
    assert first == {"a": 1, "b": {"c": [1, 2], "d": {}}}
    assert second == {"a": 1, "b": {"c": [3], "d": {}}}
    first["b"]["c"].append(4)
    assert canonical({}, SCHEMA)["b"]["c"] == [1, 2]


def test_every_entry_of_a_table_is_filled():
    table = {"alexnet": {}, "vgg19": {"seed": 3}}
    fill_defaults(table, ENTRIES)
    assert table == {"alexnet": {"seed": 0}, "vgg19": {"seed": 3}}


@settings(deadline=None)  # a busy machine takes longer, and the text is the same
@given(st.randoms(use_true_random=False))
def test_the_default_config_is_one_text_in_every_order(order):
    data = quoted_on(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    schema = reading.read_yaml(CONFIG)
    assert text(canonical(shuffled(data, order), schema)) == text(canonical(data, schema))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({True: "cosine"}, {"on": "cosine"}),
        ({True: "cosine", "on": "gram"}, {"on": "cosine"}),
        ({True: "gram", "on": "cosine"}, {"on": "cosine"}),
        ({"on": "rdm_rows", "k": [2]}, {"on": "rdm_rows", "k": [2]}),
    ],
)
def test_an_unquoted_on(given_, expected):
    config = {"clustering": dict(given_), "study": "s"}
    assert quoted_on(config) == {"clustering": expected, "study": "s"}
    assert config["clustering"] == given_
    assert quoted_on({"clustering": "no mapping"}) == {"clustering": "no mapping"}


def test_later_tables_add_entries_and_override_single_keys():
    first = {"b": {"seed": 1, "layers": ["x"]}, "a": None}
    merged = merge_tables({"one": first, "two": {"b": {"seed": 2}, "c": {"seed": 3}}})
    assert list(merged) == ["a", "b", "c"]
    assert merged == {"a": {}, "b": {"seed": 2, "layers": ["x"]}, "c": {"seed": 3}}
    assert first["b"]["seed"] == 1


@pytest.mark.parametrize(
    ("table", "words"), [(["a"], r"mine: \['a'\]"), ({"a": "text"}, "mine: a: 'text' is no mapping")]
)
def test_a_table_that_is_none_is_refused(table, words):
    with pytest.raises(InputError, match=words):
        merge_tables({"mine": table})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"netwroks": ["alexnet"]}, ["here: unknown key 'netwroks'", "did you mean networks?"]),
        ({"clustering": {"on": "nothing"}}, ["here: clustering: on: ", "'nothing'", "gram"]),
        ({"networks": "alexnet"}, ["here: networks: ", "'alexnet'", "Keys of the model table."]),
    ],
)
def test_a_wrong_config_is_told_in_one_line(config, words):
    with pytest.raises(InputError) as error:
        reading.checked(config, CONFIG, "here")
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


def test_a_file_that_is_no_yaml_is_told_in_one_line(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [1\nb: 2")
    (tmp_path / "empty.yaml").write_text("")
    assert reading.read_yaml(tmp_path / "empty.yaml") == {}
    for name in ("bad.yaml", "absent.yaml"):
        with pytest.raises(InputError, match="mine: cannot be read as YAML") as error:
            reading.read_yaml(tmp_path / name, "mine")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a stands twice, first in line 1; keep one"),
        (
            "net:\n  layers: [x]\n  seed: 1\n  'layers': [y]\n",
            "line 4: the key layers stands twice, first in line 2",
        ),
        ("- {a: 1,\n   a: 2}", "line 2: the key a stands twice"),
        ("152: x", 'line 1: the key 152 is not read as a text; write it in quotes, "152"'),
        ("a: 1\n010: x", 'line 2: the key 010 .*"010"'),
        ("no: x", "the key no is not read as a text"),
        ("1e5: x\n1.5: x", "line 2: the key 1.5 "),
        ("~: x", "the key ~ "),
        ("2015-03-01: x", "the key 2015-03-01 "),
        ("? [a, b]\n: x", "line 1: the key "),
    ],
)
def test_keys_of_a_table_are_texts_and_stand_once(tmp_path, text, words):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(InputError, match=f"^mine: .*{words}") as error:
        reading.read_yaml(tmp_path / "t.yaml", "mine")
    assert "\n" not in str(error.value)


def test_merged_keys_may_be_overridden(tmp_path):
    (tmp_path / "t.yaml").write_text(
        "a: &a {x: {y: &deep {p: 1, q: 1}}}\nb: {<<: *deep, p: 3}\nc: {<<: [*deep, *a]}\n"
    )
    table = reading.read_yaml(tmp_path / "t.yaml")
    assert table["b"] == {"p": 3, "q": 1}
    assert table["c"] == {"p": 1, "q": 1, "x": {"y": {"p": 1, "q": 1}}}


@pytest.mark.parametrize(
    ("name", "text"),
    [("c.yaml", "study: a\nk:\n  on: 1\n  on: 2"), ("c.json", '{"study": "a",\n "k": 1,\n "k": 2}')],
)
def test_a_config_file_names_each_key_once(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}: line \d: the key (on|k) stands twice"):
        reading.check_yaml(tmp_path / name)


def test_keys_of_all_kinds_pass_in_a_config_file_that_may_be_another_workflows(tmp_path):
    (tmp_path / "c.yaml").write_text("{152: x, on: y, 2015-03-01: [{no: 1}]}")
    reading.check_yaml(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no mapping; write one"),
        ("- study", "is no mapping"),
        ("study", "is no mapping"),
        ("a: &a [*a]", "line 1: is nested more than 50 deep, or in itself"),
        ("a: &a\n  b: {c: *a}", "line 1: is nested more than 50 deep, or in itself"),
        ("a: " + 60 * "[" + 60 * "]", "line 1: is nested more than 50 deep"),
        ("a: " + 10**5 * "[", "cannot be read as YAML"),
        (
            "".join(f"a{i}: &a{i} [{i and f'*a{i - 1}, *a{i - 1}'}]\n" for i in range(30)),
            "holds more than 1000000 values",
        ),
        ("a: 1\n\tb: 2", "a tab character that violates indentation in line 2"),
        ("a: 1\n---\na: 2", "expected a single document"),
        ("a: 2024-02-31", "cannot be read as YAML (day is out of range for month)"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: *b", "found undefined alias in line 1, column 4"),
        ("a: \0", "control characters are not allowed"),
        ('{true: 1, "true": 2}', "line 1: the key true stands twice"),
    ],
)
def test_a_config_file_that_is_none_is_told(tmp_path, text, words):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=re.escape(words)) as refused:
        reading.check_yaml(tmp_path / "c.yaml")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\ufeffa: 1", {"a": 1}),
        ('{\n\t"a": [1,\t2]\n}', {"a": [1, 2]}),
        ("x: &x {a: 1, b: 2}\na: {<<: *x, b: 3}\nb: {b: 3, <<: *x}", {"a": 1, "b": 3}),
        ("x: &x {a: 1}\ny: &y {a: 2, b: 3}\na: {<<: [*x, *y]}", {"a": 1, "b": 3}),
    ],
)
def test_a_config_file_may_have_a_mark_tabs_in_json_and_merged_keys(tmp_path, text, read):
    """What stands in a mapping goes before what is merged into it, wherever, and as snakemake reads it."""
    (tmp_path / "c.yaml").write_text(text)
    reading.check_yaml(tmp_path / "c.yaml")
    for found in (reading.read_yaml(tmp_path / "c.yaml"), load_configfile(tmp_path / "c.yaml")):
        for part in [found[key] for key in ("a", "b") if "x" in found and key in found] or [found]:
            assert part == read


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (["a={b: 1, b: 2}"], [], "--config a: line 1: the key b stands twice"),
        (["a=1", "b=2", "a=3"], [], "--config: the key a stands twice"),
        ([], ["--config", "a=1", "--config", "b=2"], "--config is given twice"),
        ([], ["-C", "a=1", "--config=b=2"], "--config is given twice"),
        ([], ["--configfile", "a.yaml", "--configfiles", "b.yaml"], "--configfile is given twice"),
    ],
)
def test_what_the_command_line_says_twice_is_told(arguments, options, words):
    with pytest.raises(InputError, match=re.escape(words)):
        reading.check_given(arguments, options)


def test_the_command_line_may_say_anything_once():
    options = ["-n", "--configfile", "a.yaml", "b.yaml", "--config", "a=b: c: d", "--configfile-is-none"]
    reading.check_given(["a=b: c: d", "e={f: 1}", "g="], options)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_is_told(tmp_path, encoding):
    (tmp_path / "t.yaml").write_text("café: 1", encoding=encoding)
    with pytest.raises(InputError, match=r"mine: is not UTF-8 text \(byte 0x\w\w\); save it as UTF-8"):
        reading.read_yaml(tmp_path / "t.yaml", "mine")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"dataset": {"per_class": "2"}}, ("dataset", "per_class", 2)),
        ({"clustering": {"k": ["2", "3"]}}, ("clustering", "k", [2, 3])),
        ({"synthesis": {"learning_rate": "1e-3"}}, ("synthesis", "learning_rate", 0.001)),
        ({"synthesis": {"bounds": "false"}}, ("synthesis", "bounds", False)),
        ({"synthesis": {"size": ["64", "32"]}}, ("synthesis", "size", [64, 32])),
        ({"synthesis": {"output_size": "null"}}, ("synthesis", "output_size", None)),
        (
            {"synthesis": {"loss_options": {"layer_weights": {"L1": "0.5"}}}},
            ("synthesis", "loss_options", {"layer_weights": {"L1": 0.5}}),
        ),
        ({"dataset": {"path": "2"}, "image": {"size": "64"}}, ("dataset", "path", "2")),
    ],
)
def test_numbers_that_the_command_line_made_texts(config, expected):
    part, key, value = expected
    assert reading.checked(config, CONFIG, "here")[part][key] == value


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image": {"size": 64.0}}, ["image: size: 64.0 is not of type 'integer'", "write 64"]),
        ({"clustering": {"k": [6.0]}}, ["clustering: k: 0: 6.0 is not of type 'integer'", "write 6"]),
        ({"image": {"size": True}}, ["image: size: True is not of type 'integer'"]),
        ({"study": 18}, ["study: 18 is not of type 'string'", 'in quotes, "18"']),
        ({"networks": [18]}, ["networks: 0: 18 is not of type 'string'", 'in quotes, "18"']),
        ({"networks": {"152": 1, 18: 2}}, ["the key 18 is not a text; write it in quotes"]),
        ({"clustering": {False: 1}}, ["the key False is not a text"]),
        ({"synthesis": {"learning_rate": float("nan")}}, ["learning_rate: nan", "write a finite number"]),
        ({"synthesis": {"noise_mean": float("inf")}}, ["noise_mean: inf", "write a finite number"]),
        ({"synthesis": {"seeds": [2**70]}}, [f"seeds: 0: {2**70} is greater than the maximum of 4294967295"]),
        ({"dataset": {"seed": 2**32}}, ["dataset: seed: 4294967296 is greater than"]),
        (
            {"synthesis": {"loss_options": {"layer_weights": {"L1": -1}}}},
            ["layer_weights: L1: -1 is less than"],
        ),
    ],
)
def test_values_of_the_wrong_kind_are_told_with_what_to_write(config, words):
    with pytest.raises(InputError) as error:
        reading.checked(config, CONFIG, "here")
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


def test_what_is_checked_comes_back_whole():
    checked = reading.checked({"study": "s"}, CONFIG, "here")
    assert list(checked) == sorted(checked)
    assert checked["dataset"]["source"] == "dtd"
