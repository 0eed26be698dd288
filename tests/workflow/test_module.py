"""The workflow as a part of another one, which lies elsewhere and uses the tables."""

import sys

import pytest
from studies import OVERLAY, REPOSITORY, copy_repository, jobs, run

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
        f"texalign_compute_rdm linear {network} L1",
        f"texalign_compute_rdm linear {network} L2",
        f"texalign_grow_tree linear gram {network} L1",
        f"texalign_grow_tree linear gram {network} L2",
        f"texalign_cut_trees linear gram {network}",
        f"texalign_measure_information linear gram {network}",
        "texalign_compare_rdms",
        "texalign_aggregate",
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


def test_all_of_it_can_be_asked_for(outer):
    planned = jobs(snakemake(outer, "--dry-run", "texalign_all", "texalign_report"))
    assert {"texalign_plot_second_order", "texalign_report", "texalign_all"} <= planned
