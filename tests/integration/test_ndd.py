"""The package `ndd` itself, where it can be had: docs/ndd.md."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from texalign import information

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ndd_python():
    named = os.environ.get("TEXALIGN_NDD_PYTHON")
    python = named or str(REPOSITORY / ".venv-ndd" / "bin" / "python")
    if not named and not Path(python).exists():
        pytest.skip(f"no ndd: TEXALIGN_NDD_PYTHON is not set and {python} is not there; run envs/ndd-pip.sh")
    return python


def labels(agreement, seed, n=5640, k=47):
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % k
    return classes, np.where(rng.random(n) < agreement, classes, rng.integers(0, k, n))


def ask(python, expression, data):
    program = f"import json, sys, ndd, numpy; data = json.load(sys.stdin); print(json.dumps({expression}))"
    done = subprocess.run(
        [python, "-c", program], input=json.dumps(data), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("agreement", [0.2, 0.5, 0.9, 1.0])
def test_nsb_agrees_with_ndd_at_the_studys_size(ndd_python, agreement):
    given = labels(agreement, seed=11)
    nsb = information.mutual_information(*given)
    ndd = information.mutual_information(*given, "ndd", ndd_python=ndd_python)
    assert nsb == pytest.approx(ndd, abs=1e-5)


def test_nsb_agrees_with_ndd_on_unrelated_labels(ndd_python):
    given = labels(0.0, seed=11)
    nsb = information.null_information(*given, 5)
    ndd = information.null_information(*given, 5, estimator="ndd", ndd_python=ndd_python)
    # ndd truncates the long tail of the posterior: docs/ndd.md.
    assert nsb == pytest.approx(ndd, abs=2e-4)


def test_the_sum_of_entropies_is_ndds_own_mutual_information(ndd_python):
    classes, clusters = labels(0.5, seed=12)
    expression = "float(ndd.mutual_information(numpy.array(data)))"
    nats = ask(ndd_python, expression, [list(map(int, pair)) for pair in zip(classes, clusters, strict=True)])
    assert information.mutual_information(classes, clusters).bits == pytest.approx(nats / np.log(2), abs=1e-5)


@pytest.mark.parametrize(
    "counts",
    [
        [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2],
        [9, 0, 5, 5, 3],
        [1] * 99 + [3],
        [1] * 9,
        [6],
    ],
)
def test_an_unknown_alphabet_follows_the_rule_of_ndd(ndd_python, counts):
    expected = ask(ndd_python, "[float(x) for x in ndd.entropy(data, return_std=True)]", counts)
    assert information.nsb_entropy(counts) == pytest.approx(expected, abs=2e-4)


def test_sparse_tables_differ_by_no_more_than_documented(ndd_python):
    for counts, k in [([1] * 30 + [2] * 3, 1000), ([1] * 10, 10**6), ([1] * 17 + [2], 334_730)]:
        ndd = ask(ndd_python, "float(ndd.entropy(data[0], k=data[1]))", [counts, k])
        assert 2e-3 < information.nsb_entropy(counts, k)[0] - ndd < 7e-3
