"""Runs that are repeated, killed, doubled or continued: their results are those of one quiet run."""

import hashlib
import os
import random
import shutil
import time

import h5py
import numpy as np
import pytest
from studies import kill, started

KILLS = 10 if os.environ.get("TEXALIGN_LONG") == "1" else 3
#: Runs up to the tables end by kill -9 at a moment between these parts of the time of an undisturbed
#: run that makes the figures too.
KILL_BETWEEN = (0.05, 0.4)

TABLES = (
    *("mutual_information.csv", "brainscore_correlation.csv", "brainscore_networks.csv"),
    *("brainscore_uncertainty.csv", "summary.csv"),
)


def datasets(path):
    """Every dataset and attribute of an HDF5 file."""
    found = {}

    def visit(name, item):
        for key, value in item.attrs.items():
            found[f"{name}@{key}"] = value
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    return found


def files(study, suffix):
    return {
        str(path.relative_to(study.folder)): path for path in sorted((study / "results").rglob(f"*{suffix}"))
    }


def assert_same_results(study, reference):
    made, expected = study.tables(), reference.tables()
    assert {name: made[name] for name in TABLES} == {name: expected[name] for name in TABLES}
    ours, theirs = files(study, ".h5"), files(reference, ".h5")
    assert set(ours) == set(theirs)
    for name, path in ours.items():
        mine, other = datasets(path), datasets(theirs[name])
        assert set(mine) == set(other), name
        for key, value in mine.items():
            assert np.array_equal(value, other[key]), f"{name}: {key}"
    assert not study.leftovers()


def state(folder):
    """Time stamp and hash of every result."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file()
    }


@pytest.mark.runs
def test_the_same_seed_gives_the_same_bits_and_a_second_run_is_refused(finished_study, unmade):
    with started(unmade.command("aggregate"), unmade.folder) as first:
        locks = unmade / ".snakemake/locks"
        deadline = time.monotonic() + 60
        while not (locks.is_dir() and any(locks.iterdir())):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = unmade.snakemake("aggregate")
        assert second.returncode != 0
        assert "Directory cannot be locked" in second.stdout
        assert "Finished jobid" not in second.stdout
        assert first.wait(timeout=600) == 0
    assert_same_results(unmade, finished_study)


@pytest.mark.runs
def test_a_killed_run_is_continued_to_the_same_results(finished_study, unmade):
    rng, killed = random.Random(0), 0
    while killed < KILLS:
        with started(unmade.command("aggregate"), unmade.folder) as process:
            time.sleep(rng.uniform(*KILL_BETWEEN) * finished_study.seconds)
            over = process.poll() is not None
            kill(process)
        if over:
            shutil.rmtree(unmade / "results")
        else:
            killed += 1
            unmade.make("--unlock")
    unmade.make("--rerun-incomplete", "aggregate")
    assert_same_results(unmade, finished_study)
    assert unmade.plan("aggregate") == set()


@pytest.mark.runs
def test_an_added_network_leaves_the_others_alone(finished):
    before = state(finished.folder)
    finished.change(networks=["alexnet", "lite", "squeezenet1_1"])
    finished.make("aggregate")
    after = state(finished.folder)
    joined = {
        "aggregate",
        "join_information",
        "correlate_scores",
        "compare_rdms",
        "second_order",
        "rdms.h5",
        *TABLES,
    }
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert {name for name in changed if not any(part in name for part in joined)} == set()
    kept = {name for name in before if "alexnet" in name or "lite" in name or "images" in name}
    assert len(kept) > 20
    assert not kept & changed
    assert all("squeezenet1_1" in name for name in set(after) - set(before))
