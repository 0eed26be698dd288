"""The tutorial: its notebook is its page, and does what it says."""

import contextlib
import importlib.util
import io
import os
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from studies import REPOSITORY, copy_repository, environment

from texalign import tables


def notebook():
    return nbformat.read(REPOSITORY / "docs/tutorial.ipynb", as_version=4)


def test_the_notebook_is_the_page():
    spec = importlib.util.spec_from_file_location("notebook", REPOSITORY / "docs/notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.notebook((REPOSITORY / "docs/tutorial.md").read_text())
    assert notebook() == made, "python docs/notebook.py writes it anew"
    kinds = [cell.source.split("\n")[0] for cell in made.cells if cell.cell_type == "code"]
    assert kinds.count("%%bash") == 3
    assert "%%writefile mynet.py" in kinds
    for kind, cell in zip(kinds, (c for c in made.cells if c.cell_type == "code"), strict=True):
        if kind[0] != "%":
            compile(cell.source, kind, "exec")


def run_cell(source, names):
    """Do what Jupyter does with a cell, and return what it says."""
    first, _, rest = source.partition("\n")
    if first.startswith("%%writefile "):
        Path(first.split(" ", 1)[1]).write_text(rest + "\n")
    elif first == "%%bash":
        done = subprocess.run(
            ["bash", "-e", "-c", rest],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout
    else:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(compile(source, "cell", "exec"), names)
        return said.getvalue()


@pytest.mark.runs
def test_the_notebook_runs_from_a_clone_to_the_answer(tmp_path, monkeypatch):
    study = copy_repository(tmp_path / "clone")
    # `make` finds an environment that is set up: this one.
    (study / ".venv").mkdir()
    (study / ".venv/installed").touch()
    later = time.time() + 60
    os.utime(study / ".venv/installed", (later, later))
    monkeypatch.chdir(study)
    monkeypatch.syspath_prepend(str(study))
    names = {}
    said = [run_cell(cell.source, names) for cell in notebook().cells if cell.cell_type == "code"]
    told = "\n".join(filter(None, said))
    assert "stripes" in told
    assert "_blocks.15._bn1" in told  # of `make layers`
    rows = tables.read("results/mine/mutual_information.csv")
    rows = rows[rows["k"] == 4].set_index(["network", "layer"])
    assert set(rows.index.get_level_values("network")) == {"mine", "mine_untrained"}
    # What training gave, beyond both intervals.
    assert rows.loc[("mine", "L3"), "mi_low_bits"] > rows.loc[("mine_untrained", "L3"), "mi_corrected_bits"]
    for figure in ("mutual_information_intervals", "layers/mine", "contact/mine", "clusters/mine"):
        assert Path(f"results/mine/figures/{figure}.png").is_file()
