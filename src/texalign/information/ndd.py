"""The package of the paper, in a process of its own: it can abort the interpreter (docs/ndd.md)."""

import json
import os
import subprocess
import sys

import numpy as np

from texalign.errors import InputError

_NO_NDD = 3

_NDD_HELP = (
    "build it with envs/ndd.yaml (conda) or envs/ndd-pip.sh, see docs/ndd.md, "
    "and name its python in TEXALIGN_NDD_PYTHON; or use estimator nsb"
)

_NDD_PROGRAM = f"""
import json, sys
try:
    import ndd
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit({_NO_NDD})
results = [ndd.entropy(counts, k=k, return_std=True) for counts, k in json.load(sys.stdin)]
print(json.dumps([[float(nats), float(sd)] for nats, sd in results]))
"""


def entropies(parts, python=None):
    """Ask the package `ndd`, in one process for all tables."""
    python = python or os.environ.get("TEXALIGN_NDD_PYTHON") or sys.executable
    tables = [(counts[counts > 0].tolist(), n_states) for counts, n_states in parts]
    try:
        done = subprocess.run(
            [python, "-c", _NDD_PROGRAM], input=json.dumps(tables), capture_output=True, text=True
        )
    except OSError as error:
        raise InputError(f"estimator ndd: cannot start {python} ({error.strerror}); {_NDD_HELP}") from None
    complaint = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    if done.returncode == _NO_NDD:
        raise InputError(f"estimator ndd: {python} cannot import it ({complaint}); {_NDD_HELP}")
    # Its Fortran code may stop the interpreter with exit status 0 and nothing said on stdout.
    if done.returncode or not done.stdout:
        raise InputError(f"estimator ndd: the package gave up ({complaint}); use estimator nsb")
    return np.array(json.loads(done.stdout))
