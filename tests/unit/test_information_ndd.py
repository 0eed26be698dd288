"""How the package `ndd` is asked; what it answers is in tests/integration/test_ndd.py."""

import sys

import numpy as np
import pytest
from counts import LOG2

from texalign import InputError, information


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'echo "No module named ndd" >&2; exit 3',
            r"cannot import it \(No module named ndd\); .*envs/ndd.yaml",
        ),
        ('echo "maximization didnt converge" >&2; exit 0', r"gave up \(maximization didnt converge\)"),
        ("exit 134", r"gave up \(exit status 134\)"),
    ],
)
def test_ndd_that_fails_gets_one_clear_line(tmp_path, monkeypatch, body, message):
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\ncat >/dev/null\n{body}\n")
    stub.chmod(0o755)
    monkeypatch.setenv("TEXALIGN_NDD_PYTHON", str(stub))
    with pytest.raises(InputError, match=message):
        information.mutual_information([1, 2], [1, 2], "ndd")


def test_ndd_is_asked_once_for_all_tables(tmp_path):
    # A stand-in for the package, on the path of this very interpreter.
    (tmp_path / "ndd.py").write_text(
        "def entropy(counts, *, k, return_std):\n    return float(sum(counts)), float(k)\n"
    )
    stub = tmp_path / "python"
    stub.write_text(
        f'#!/bin/sh\necho once >> {tmp_path}/calls\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n'
    )
    stub.chmod(0o755)
    result = information.mutual_information([1, 1, 2], [1, 2, 2], "ndd", ndd_python=str(stub))
    assert result.bits == pytest.approx(3 / LOG2)
    assert result.sd_bits == pytest.approx(np.sqrt(2**2 + 2**2 + 4**2) / LOG2)
    assert information.null_information(
        [1, 1, 2], [1, 2, 2], 7, estimator="ndd", ndd_python=str(stub)
    ).shape == (7,)
    assert (tmp_path / "calls").read_text().split() == ["once", "once"]


def test_a_missing_ndd_python_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot start .*nowhere"):
        information.mutual_information([1, 2], [1, 2], "ndd", ndd_python=str(tmp_path / "nowhere"))
