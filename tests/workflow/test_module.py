"""The workflow as a part of another one, which lies elsewhere and uses the tables."""

import shutil
import subprocess
import sys

import pytest
from studies import OVERLAY, REPOSITORY, copy_repository, jobs, run

from texalign import tables

OUTER = """
module texalign:
    snakefile: "{checkout}/workflow/Snakefile"
    prefix: "tex"
    config: {config}

use rule * from texalign as texalign_*

rule count_rows:
    default_target: True
    input: "tex/results/tiny/mutual_information.csv"
    output: "rows.txt"
    shell: "tail -n +2 {{input}} | wc -l > {{output}}"
"""

#: As `snakefile:` takes it.
GIT_URL = '"{url}/workflow/Snakefile@v0"'


@pytest.fixture(params=["elsewhere", "inside"])
def outer(request, tmp_path):
    """Another workflow that imports this one from a checkout elsewhere, or from one in its own folder."""
    folder = tmp_path / "outer"
    checkout = folder / "modules/texalign" if request.param == "inside" else tmp_path / "checkout"
    checkout.mkdir(parents=True)
    copy_repository(checkout)
    folder.mkdir(exist_ok=True)
    config = OVERLAY | {
        "networks": ["efficientnet_lite0"],
        "models": ["config/models.yaml", "mine.yaml"],
        "brainscore": "scores.csv",
        "variants": {"uncorrected": {"estimator": "plugin"}},
    }
    (folder / "mine.yaml").write_text("efficientnet_lite0: {layers: [_bn0, _blocks.0._bn1]}\n")
    (folder / "scores.csv").write_text((REPOSITORY / "resources/brainscore.csv").read_text())
    (folder / "Snakefile").write_text(OUTER.format(checkout=checkout, config=config))
    return folder


def snakemake(folder, *arguments):
    done = run([sys.executable, "-m", "snakemake", "--cores", "2", *arguments], folder)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_its_rules_are_planned_with_the_prefix(outer):
    output = snakemake(outer, "--dry-run", "--printshellcmds")
    network = "efficientnet_lite0"
    assert jobs(output) == {
        "count_rows",
        "texalign_decode_images",
        f"texalign_compute_gram linear {network}",
        f"texalign_compute_rdm linear gram {network} L1",
        f"texalign_compute_rdm linear gram {network} L2",
        f"texalign_grow_trees linear gram gram {network}",
        f"texalign_measure_information linear gram gram nsb {network}",
        "texalign_join_information",
    }
    assert "output: tex/results/tiny/images.h5" in output
    assert "tex/workflow" not in output
    assert "tex/scores.csv" not in output
    if (outer / "modules").exists():
        return
    snakemake(outer)
    assert (outer / "rows.txt").read_text().strip() == "2"
    assert not (outer / "results").exists()
    assert snakemake(outer, "--dry-run").count("Nothing to be done") == 1
    snakemake(outer, "tex/results/tiny/multiverse/networks.csv")
    networks = tables.read(outer / "tex/results/tiny/multiverse/networks.csv")
    assert networks["specification"].tolist() == ["uncorrected", "study"]


def test_all_of_it_can_be_asked_for(outer):
    planned = jobs(snakemake(outer, "--dry-run", "texalign_all", "texalign_report", "texalign_describe_run"))
    targets = {"texalign_report", "texalign_html_report", "texalign_describe_run", "texalign_all"}
    assert {"texalign_plot_study", "texalign_aggregate"} | targets <= planned


# ---------------------------------------------------------------- from a git URL


def git(folder, *arguments):
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.runs
def test_from_a_git_url_with_the_package_installed_by_pip(tmp_path, monkeypatch):
    """What the workflow catalog and snakedeploy do: nothing of the checkout is at hand, only its URL."""
    origin, site, outer = tmp_path / "origin", tmp_path / "site", tmp_path / "outer"
    for folder in (origin, outer):
        folder.mkdir()
    copy_repository(origin)
    git(origin, "init", "--initial-branch", "main")
    git(origin, "add", "--all")
    git(origin, "commit", "--message", "all")
    git(origin, "tag", "v0")
    url = f"git+file://{origin}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    installed = run([*pip, "--target", str(site), f"{url}@v0"], tmp_path)
    assert installed.returncode == 0, installed.stdout
    shutil.rmtree(origin / "src")  # what is used now is what was installed
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = OVERLAY | {
        "models": ["config/models.yaml", "config/models-untrained.yaml"],
        "networks": ["alexnet"],
    }
    text = OUTER.replace('"{checkout}/workflow/Snakefile"', GIT_URL.format(url=url))
    (outer / "Snakefile").write_text(text.format(config=config))
    snakemake(outer)
    assert (outer / "rows.txt").read_text().strip() == "5"
    assert {"tex", "rows.txt", "Snakefile"} == {path.name for path in outer.iterdir() if path.name[0] != "."}
    assert snakemake(outer, "--dry-run").count("Nothing to be done") == 1
    snakemake(outer, "texalign_describe_run")
    about = (outer / "tex/results/tiny/ro-crate-metadata.json").read_text()
    assert "workflow/rules/gram.smk" in about
    assert snakemake(outer, "--dry-run", "texalign_describe_run").count("Nothing to be done") == 1
