#!/bin/sh
# Builds the package `ndd` into a virtual environment of its own: envs/ndd-pip.sh [folder]
# PYTHON chooses the interpreter; 3.9 to 3.11, because the build needs numpy.distutils. See docs/ndd.md.
set -eu

folder=${1:-.venv-ndd}
python=${PYTHON:-python3.11}

fail() {
    echo "ndd-pip.sh: $1" >&2
    exit 1
}

command -v gfortran >/dev/null ||
    fail "gfortran not found; install it (Debian, Ubuntu: apt-get install gfortran; macOS: brew install gcc)"
command -v "$python" >/dev/null ||
    fail "$python not found; name a Python 3.9 to 3.11 with PYTHON=..."
"$python" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 12))' ||
    fail "$python is $("$python" -V 2>&1); name a Python 3.9 to 3.11 with PYTHON=..."

"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet "numpy==1.26.*" "setuptools<60" wheel
"$folder/bin/python" -m pip install --quiet --no-build-isolation --no-deps ndd==1.10.6
"$folder/bin/python" -c 'import ndd; print("ndd", ndd.__version__, "built")'
echo "export TEXALIGN_NDD_PYTHON=$(cd "$folder" && pwd)/bin/python"
