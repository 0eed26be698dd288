"""A path says what a file depends on."""

import os
import re
import subprocess

import pytest
from architectures import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from texalign import InputError
from texalign.plan import paths, reading

CONFIG = reading.checked({}, ROOT / "workflow/schemas/config.schema.yaml", "here")
AXES = reading.read_yaml(ROOT / "workflow/schemas/config.schema.yaml")["properties"]


def test_a_path_has_what_is_known_and_leaves_the_rest_open():
    assert paths.path("dtd", "gram") == "results/dtd/gram/{maps}/{network}.h5"
    assert paths.path("dtd", "gram", maps="relu", network="vgg19") == "results/dtd/gram/relu/vgg19.h5"
    assert paths.path("dtd", "figures/scores.png") == "results/dtd/figures/scores.png"


def test_the_coordinates_of_the_default_study():
    expected = {"maps": "linear", "representation": "gram", "clustering": "gram", "estimator": "nsb"}
    assert paths.coordinates(CONFIG) == expected


OF_INFORMATION = {"information", "by_k", "halves", "beside_gram"}
OF_RDMS = {"rdm", "second_order", "decoded", "exported", "agreement"}
OF_CLUSTERS = {"clusters", "labels", "confusions", "classes"}


@pytest.mark.parametrize(
    ("changed", "moved"),
    [
        ({"readout": "relu"}, {"gram", "sliced"} | OF_RDMS | OF_CLUSTERS | OF_INFORMATION),
        ({"representation": "mean"}, OF_RDMS | OF_CLUSTERS | OF_INFORMATION),
        ({"clustering": {"on": "cosine"}}, OF_CLUSTERS | OF_INFORMATION),
        ({"mutual_information": {"estimator": "plugin"}}, OF_INFORMATION),
        ({"device": "cpu"}, set()),
        ({"study": "other"}, set()),
    ],
)
def test_an_axis_moves_what_depends_on_it_and_nothing_else(changed, moved):
    other = CONFIG | {
        key: CONFIG[key] | value if isinstance(value, dict) else value for key, value in changed.items()
    }
    before, after = paths.coordinates(CONFIG), paths.coordinates(other)
    kinds = {k for k in paths.PLACES if paths.path("s", k, **before) != paths.path("s", k, **after)}
    assert kinds == moved


@pytest.mark.parametrize("readout", AXES["readout"]["enum"])
@pytest.mark.parametrize("normalisation", AXES["normalisation"]["enum"])
@pytest.mark.parametrize("warmup", [None, 0, 12])
def test_how_maps_are_taken_is_read_back_from_the_path(readout, normalisation, warmup):
    choices = {"readout": readout, "normalisation": normalisation, "bn_warmup": warmup}
    assert paths.taken(paths.maps(choices)) == choices
    assert re.fullmatch(paths.CONSTRAINTS["maps"], paths.maps(choices))


def test_every_value_of_an_axis_fits_into_a_path():
    clustering, measure = (AXES[key]["properties"] for key in ("clustering", "mutual_information"))
    for key, values in (("clustering", clustering["on"]), ("estimator", measure["estimator"])):
        assert all(re.fullmatch(paths.CONSTRAINTS[key], value) for value in values["enum"])


def test_every_wildcard_of_a_place_is_constrained():
    wildcards = {name for place in paths.PLACES.values() for name in re.findall(r"{(\w+)}", place)}
    assert wildcards == set(paths.CONSTRAINTS)


#: Many wildcards are drawn at once, which takes long on a busy machine.
BUSY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ASCII = st.characters(codec="ascii")
KNOWN = st.fixed_dictionaries(
    {
        name: st.from_regex(pattern, fullmatch=True, alphabet=ASCII)
        for name, pattern in paths.CONSTRAINTS.items()
    }
)


@BUSY
@given(st.sampled_from(sorted(paths.PLACES)), KNOWN)
def test_a_path_is_read_back_in_one_way(kind, known):
    """No two sets of coordinates share a file."""
    parts = re.split(r"{(\w+)}", paths.PLACES[kind])
    pattern = "".join(
        f"(?P<{part}>{paths.CONSTRAINTS[part]})" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    found = re.fullmatch(f"results/s/{pattern}", paths.path("s", kind, **known))
    assert found
    assert found.groupdict() == {name: known[name] for name in parts[1::2]}


@BUSY
@given(KNOWN)
def test_no_two_kinds_share_a_file(known):
    made = [paths.path("s", kind, **known) for kind in paths.PLACES]
    assert len(set(made)) == len(made)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    paths.check_writable(tmp_path / "results/new")
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")
    for name, words in (("file/s", "file: no folder"), ("loop/s", "loop: a link"), ("gone", "gone: a link")):
        with pytest.raises(InputError, match=words):
            paths.check_writable(tmp_path / name)
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)  # root may write everywhere
    with pytest.raises(InputError, match=f"{tmp_path}: no folder that can be written to; make it writable"):
        paths.check_writable(tmp_path / "results/new")


def test_a_disk_that_is_read_only_is_told(small_disk):
    if subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=False).returncode:
        pytest.skip("mounting read-only is not allowed here")
    with pytest.raises(InputError, match="small: no folder that can be written to"):
        paths.check_writable(small_disk / "tiny")
