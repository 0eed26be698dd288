"""The rerun contract of a finished study: after each change, exactly these jobs and no others."""

import ast
import os
import re
import sys
import time
import zipfile

import pytest
from studies import REPOSITORY, make_photographs

SCRIPTS = REPOSITORY / "workflow/scripts"
#: They decide how things are fetched, written and told, not what a result is.
NO_NUMBERS = {"__init__", "download", "files", "job"}

JOINED = {"compare_rdms", "aggregate"}
JOINED_FIGURES = {"plot_mutual_information", "plot_second_order", "plot_brainscore"}
BOTH = ("alexnet", "lite")


def grams(*networks):
    return {f"compute_gram linear {network}" for network in networks}


def rdms(*networks):
    return {f"compute_rdm linear {network} L{i}" for network in networks for i in (1, 2)}


def trees(*networks, on="gram"):
    return {f"grow_tree linear {on} {network} L{i}" for network in networks for i in (1, 2)}


def cuts(*networks, on="gram"):
    return {
        f"{rule} linear {on} {network}"
        for rule in ("cut_trees", "measure_information")
        for network in networks
    }


def figures(*networks):
    return {f"{rule} {network}" for rule in ("plot_rdms", "plot_clusters") for network in networks}


def whole(*networks):
    """All that is computed for a network alone."""
    return grams(*networks) | rdms(*networks) | trees(*networks) | cuts(*networks) | figures(*networks)


ALL = {"all"}
JOINTLY = JOINED | JOINED_FIGURES | ALL
CLUSTERS_AND_LATER = {"aggregate", "plot_clusters alexnet", "plot_clusters lite"} | JOINED_FIGURES | ALL


def touch(path):
    later = time.time_ns() + 60 * 10**9
    os.utime(path, ns=(later, later))


def test_nothing_changed_runs_nothing(finished):
    assert finished.plan() == set()


def test_an_added_network_runs_itself_and_what_is_joined(finished):
    finished.change(networks=[*BOTH, "squeezenet1_1"])
    assert finished.plan() == whole("squeezenet1_1") | JOINTLY


def test_an_added_network_with_weights_fetches_them(finished):
    finished.change_model("more", **finished.table["lite"])
    finished.change(networks=[*BOTH, "more"])
    assert finished.plan() == {"fetch_weights more"} | whole("more") | JOINTLY


def test_an_added_control_is_not_compared(finished):
    finished.change(controls=["squeezenet1_1"])
    assert finished.plan() == whole("squeezenet1_1") | JOINTLY - {"compare_rdms"}


def test_an_unused_entry_of_the_model_table_runs_nothing(finished):
    finished.change_model("squeezenet1_1", layers=["features.0"], label="other")
    finished.change_model("mine", **finished.table["lite"])
    assert finished.plan() == set()


def test_edited_layers_rerun_that_network_and_fetch_nothing(finished):
    finished.change_model("lite", layers=["_bn0", "_blocks.1._bn1"])
    assert finished.plan() == whole("lite") | JOINTLY


def test_a_failed_rerun_leaves_nothing_that_passes_for_new(finished):
    """The failed job's old output is gone, and what was made from it is still there."""
    finished.change_model("lite", layers=["_bn0", "nonsense"])
    assert finished.snakemake("mutual_information").returncode != 0
    finished.change_model("lite", layers=["_bn0", "_blocks.1._bn1"])
    assert finished.plan() == whole("lite") | JOINTLY


def test_a_failed_estimator_leaves_nothing_that_passes_for_new(finished, monkeypatch):
    monkeypatch.setenv("TEXALIGN_NDD_PYTHON", sys.executable)  # which has no ndd
    finished.change(mutual_information={"estimator": "ndd", "permutations": 5})
    assert finished.snakemake("mutual_information").returncode != 0
    again = {f"measure_information linear gram {network}" for network in BOTH}
    assert finished.plan() == again | CLUSTERS_AND_LATER


def test_a_label_reruns_the_tables_and_figures_that_show_it(finished):
    finished.change_model("lite", label="Another name")
    assert finished.plan() == {"aggregate"} | figures("lite") | JOINED_FIGURES | ALL


def test_a_removed_network_reruns_what_is_joined(finished):
    finished.change(networks=["alexnet"])
    assert finished.plan() == JOINTLY


def test_k_reruns_from_the_cuts_on(finished):
    finished.change(clustering={"k": [2, 5]})
    assert finished.plan() == cuts(*BOTH) | CLUSTERS_AND_LATER


def test_clustering_on_reruns_from_the_trees_on(finished):
    finished.change(clustering={"on": "cosine"})
    assert finished.plan() == trees(*BOTH, on="cosine") | cuts(*BOTH, on="cosine") | CLUSTERS_AND_LATER


def test_a_figures_setting_reruns_that_figure(finished):
    finished.change(figures={"rdm_metric": "euclidean"})
    assert finished.plan() == {"plot_rdms alexnet", "plot_rdms lite"} | ALL


def test_seed_of_the_null_reruns_the_information(finished):
    finished.change(mutual_information={"permutations": 5, "seed": 1})
    information = {f"measure_information linear gram {network}" for network in BOTH}
    assert finished.plan() == information | CLUSTERS_AND_LATER


def test_seed_of_an_untrained_network_reruns_that_network(finished):
    finished.change_model("alexnet", seed=1)
    assert finished.plan() == whole("alexnet") | JOINTLY


def test_seed_of_the_images_reruns_all_but_the_downloads(finished):
    finished.change(dataset=finished.overlay["dataset"] | {"seed": 1})
    assert finished.plan() == {"decode_images"} | whole(*BOTH) | JOINTLY


def test_an_added_class_reruns_all_but_the_downloads(finished):
    make_photographs(finished / "photographs", classes=4)
    assert finished.plan() == {"decode_images"} | whole(*BOTH) | JOINTLY


def test_an_edited_image_reruns_all_but_the_downloads(finished):
    image = finished / "photographs/grain1/0.png"
    image.write_bytes((finished / "photographs/grain2/0.png").read_bytes())
    assert finished.plan() == {"decode_images"} | whole(*BOTH) | JOINTLY


def test_a_device_runs_nothing(finished):
    finished.change(device="cpu")
    assert finished.plan() == set()


def test_other_resources_and_threads_run_nothing(finished):
    resources = ["compute_gram:mem_mb=1234", "compute_gram:gpu=0", "compute_rdm:runtime=10"]
    options = ["--set-resources", *resources, "--set-threads", "compute_rdm=1"]
    assert finished.plan(*options) == set()


def test_touched_code_runs_nothing(finished):
    for path in [*(finished / "workflow/scripts").rglob("*.py"), finished / "study.yaml"]:
        touch(path)
    assert finished.plan() == set()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "geometry",
            rdms(*BOTH) | trees(*BOTH) | cuts(*BOTH) | figures(*BOTH) | JOINTLY,
        ),
        ("plots", figures(*BOTH) | JOINED_FIGURES | ALL),
        ("information", {f"measure_information linear gram {n}" for n in BOTH} | CLUSTERS_AND_LATER),
        ("gram", whole(*BOTH) | JOINTLY),
        ("textures", {"decode_images"} | whole(*BOTH) | JOINTLY),
        ("synthesis", set()),
    ],
)
def test_new_content_of_a_library_module_reruns_what_uses_it(finished, module, expected):
    path = finished / f"workflow/scripts/texalign/{module}.py"
    path.write_text(path.read_text() + "\n# changed\n")
    assert finished.plan() == expected


def test_new_content_of_a_script_reruns_its_rule_and_what_follows(finished):
    path = finished / "workflow/scripts/measure_information.py"
    path.write_text(path.read_text() + "\n# changed\n")
    information = {f"measure_information linear gram {network}" for network in BOTH}
    assert finished.plan() == information | CLUSTERS_AND_LATER


def test_a_report_is_made_of_what_is_there(finished):
    assert finished.plan("report") == {"report"}
    finished.make("report")
    with zipfile.ZipFile(finished / "results/tiny/report.zip") as archive:
        names = archive.namelist()
    assert sum(name.endswith(".png") for name in names) == 9
    assert finished.plan() == set()


# ---------------------------------------------------------------- the lists of library modules


def imported(path):
    """Modules of the library that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "texalign":
            _, _, module = node.module.partition(".")
            yield from [module] if module else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("texalign."))


def used(path):
    """Modules that a file imports, directly or through another."""
    found, waiting = set(), [path]
    while waiting:
        for module in imported(waiting.pop()):
            source = SCRIPTS / f"texalign/{module}.py"
            if module not in found and source.exists():  # or else a name of __init__
                found.add(module)
                waiting.append(source)
    return found - NO_NUMBERS


def rules_with_scripts():
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)*)", path.read_text(), re.MULTILINE):
            script = re.search(r'"\.\./scripts/(\w+\.py)"', body)
            if script:
                yield pytest.param(body, SCRIPTS / script[1], id=name)


@pytest.mark.parametrize(("body", "script"), list(rules_with_scripts()))
def test_a_rule_lists_the_library_modules_of_its_script(body, script):
    listed = re.search(r'library=library\(([^)]*)\bscript="(\w+)",?\s*\)', body)
    if script.name in ("fetch_weights.py", "fetch_dtd.py", "unpack_dtd.py"):
        # What is fetched is known by its hash: an edited downloader must not fetch it again.
        assert listed is None
        return
    assert listed, "no library= among the inputs"
    modules = re.findall(r'"(\w+)"', listed[1])
    assert modules == sorted(used(script))
    assert listed[2] == script.stem
