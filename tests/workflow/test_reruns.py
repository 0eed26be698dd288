"""The rerun contract of a finished study: after each change, exactly these jobs and no others."""

import json
import os
import random
import shutil
import sys
import time
import zipfile

import crates
import pytest
import yaml
from studies import Study, make_photographs, models

from texalign import tables

BOTH = ("alexnet", "lite")
ALL = {"all"}
#: What follows each network's information, and what follows the comparison of all RDMs.
AFTER_INFORMATION = {
    "join_information",
    "correlate_scores",
    "aggregate",
    "plot_study",
    "plot_statistics",
} | ALL
#: What follows the tables by number of clusters, of halves and of classes.
AFTER_STATISTICS = {"join_statistics", "plot_statistics"} | ALL
AFTER_COMPARISON = {"aggregate", "plot_study"} | ALL
AFTER_SCORES = {"correlate_scores", "plot_statistics"} | AFTER_COMPARISON
COMPARED = {"compare_rdms linear gram"}
JOINTLY = AFTER_INFORMATION | AFTER_STATISTICS | COMPARED


def grams(*networks, maps="linear"):
    return {f"compute_gram {maps} {network}" for network in networks}


def rdms(*networks, maps="linear"):
    return {f"compute_rdm {maps} gram {network} L{i}" for network in networks for i in (1, 2)}


def trees(*networks, maps="linear", on="gram"):
    return {f"grow_trees {maps} gram {on} {network}" for network in networks}


def information(*networks, maps="linear", on="gram", by="nsb"):
    return {f"measure_information {maps} gram {on} {by} {network}" for network in networks}


def halves(*networks, maps="linear", on="gram", by="nsb"):
    return {f"cluster_halves {maps} gram {on} {by} {network}" for network in networks}


def classes(*networks, maps="linear", on="gram"):
    return {f"describe_classes {maps} gram {on} {network}" for network in networks}


def figures(*networks):
    return {f"plot_network {network}" for network in networks}


def from_trees(*networks, **where):
    """All that is computed for a network alone, from its trees on."""
    described = halves(*networks, **where) | classes(*networks, **where)
    return trees(*networks, **where) | information(*networks, **where) | described | figures(*networks)


def from_rdms(*networks, **where):
    return rdms(*networks, **where) | from_trees(*networks, **where)


def whole(*networks, **where):
    """All that is computed for a network alone."""
    return grams(*networks, **where) | from_rdms(*networks, **where)


FROM_INFORMATION = information(*BOTH) | figures(*BOTH) | AFTER_INFORMATION | AFTER_STATISTICS
#: What a change of `mutual_information` or of an entropy makes again.
FROM_ENTROPIES = FROM_INFORMATION | halves(*BOTH)
FROM_TREES = from_trees(*BOTH) | AFTER_INFORMATION | AFTER_STATISTICS
FROM_IMAGES = {"decode_images"} | whole(*BOTH) | JOINTLY


def touch(path):
    later = time.time_ns() + 60 * 10**9
    os.utime(path, ns=(later, later))


def append(path, text="\n# changed\n"):
    path.write_text(path.read_text() + text)


def shuffled(value, order):
    """The same mappings with their keys in another order."""
    if isinstance(value, dict):
        keys = order.sample(list(value), len(value))
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- networks


def test_nothing_changed_runs_nothing(finished):
    assert finished.plan() == set()


def test_an_added_network_runs_itself_and_what_is_joined(finished):
    finished.change(networks=[*BOTH, "squeezenet1_1"])
    assert finished.plan() == whole("squeezenet1_1") | JOINTLY


def test_an_added_network_with_weights_fetches_them(finished):
    finished.change_model("more", **finished.table["lite"] | {"label": "More"})
    finished.change(networks=[*BOTH, "more"])
    assert finished.plan() == {"fetch_weights more"} | whole("more") | JOINTLY


def test_an_added_control_is_compared_too(finished):
    finished.change(controls=["squeezenet1_1"])
    assert finished.plan() == whole("squeezenet1_1") | JOINTLY


def test_an_unused_entry_of_the_model_table_runs_nothing(finished):
    finished.change_model("squeezenet1_1", layers=["features.0"], label="other")
    finished.change_model("mine", **finished.table["lite"])
    assert finished.plan() == set()


def test_edited_layers_rerun_that_network_and_fetch_nothing(finished):
    finished.change_model("lite", layers=["_bn0", "_blocks.1._bn1"])
    assert finished.plan() == whole("lite") | JOINTLY


def test_a_label_reruns_the_tables_and_figures_that_show_it(finished):
    finished.change_model("lite", label="Another name")
    assert finished.plan() == figures("lite") | AFTER_INFORMATION | AFTER_STATISTICS


def test_a_removed_network_reruns_what_is_joined(finished):
    finished.change(networks=["alexnet"])
    assert finished.plan() == JOINTLY


def test_seed_of_an_untrained_network_reruns_that_network(finished):
    finished.change_model("alexnet", seed=1)
    assert finished.plan() == whole("alexnet") | JOINTLY


OWN = """
import torch
from mylayers import convolution

def net():
    return torch.nn.Sequential(convolution(4), torch.nn.ReLU(), torch.nn.Conv2d(4, 8, 3))
"""
BESIDE = """
import torch

def convolution(channels):
    return torch.nn.Conv2d(3, channels, 3)
"""


@pytest.fixture(scope="module")
def with_own_study(finished_study, made_once):
    """A finished study with a network of one's own, whose program lies in two files beside the study."""

    def build(folder):
        if not folder.exists():
            finished_study.copy(folder)
            (folder / "mynets.py").write_text(OWN)
            (folder / "mylayers.py").write_text(BESIDE)
        mine = {"architecture": "mynets:net", "weights": "untrained", "layers": ["0", "2"]}
        overlay = finished_study.overlay | {"networks": ["alexnet", "mine"]}
        return Study(folder, overlay, finished_study.table | {"mine": mine}, copy=False)

    return made_once("own", build)


@pytest.fixture
def with_own(with_own_study, tmp_path):
    return with_own_study.copy(tmp_path / "study")


@pytest.mark.parametrize("file", ["mynets.py", "mylayers.py"])
def test_an_edited_program_of_ones_own_network_reruns_that_network(with_own, file):
    touch(with_own / file)
    (with_own / "unrelated.py").write_text("import mynets\n")
    assert with_own.plan() == set()
    append(with_own / file)
    assert with_own.plan() == whole("mine") | JOINTLY


# ---------------------------------------------------------------- failures


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
    by_ndd = information(*BOTH, by="ndd") | halves(*BOTH, by="ndd")
    assert finished.plan() == by_ndd | figures(*BOTH) | AFTER_INFORMATION | AFTER_STATISTICS


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("compare_rdms", COMPARED | AFTER_COMPARISON),
        ("correlate_scores", AFTER_SCORES),
    ],
)
def test_a_failed_script_leaves_nothing_that_passes_for_new(finished, script, expected):
    name = f"workflow/scripts/{script}.py"
    working = (finished / name).read_text()
    finished.edit(name, "job.start(snakemake)", "job.start(snakemake)\nraise SystemExit(3)")
    assert finished.snakemake().returncode != 0
    (finished / name).write_text(f"{working}\n# corrected\n")
    assert finished.plan() == expected


def test_a_failed_aggregate_leaves_no_figure_that_passes_for_new(finished):
    """The figures do not ask for the aggregate by themselves when it is gone."""
    append(finished / "src/texalign/geometry/compare.py")
    aggregate = finished / "workflow/scripts/aggregate.py"
    working = aggregate.read_text()
    aggregate.write_text(working.replace("job.start(snakemake)", "job.start(snakemake)\nraise SystemExit(3)"))
    assert finished.snakemake().returncode != 0
    aggregate.write_text(working)
    assert finished.plan("figures") == {"aggregate", "plot_study", "figures"}


# ---------------------------------------------------------------- settings


def test_k_reruns_from_the_trees_on(finished):
    finished.change(clustering={"k": [2, 5]})
    assert finished.plan() == FROM_TREES


def test_clustering_on_reruns_from_the_trees_on(finished):
    finished.change(clustering={"on": "cosine"})
    assert finished.plan() == from_trees(*BOTH, on="cosine") | AFTER_INFORMATION | AFTER_STATISTICS


def test_another_estimator_grows_no_tree(finished):
    finished.change(mutual_information={"permutations": 5, "estimator": "plugin"})
    by_plugin = information(*BOTH, by="plugin") | halves(*BOTH, by="plugin")
    assert finished.plan() == by_plugin | figures(*BOTH) | AFTER_INFORMATION | AFTER_STATISTICS


def test_another_readout_decodes_no_image(finished):
    finished.change(readout="relu")
    relu = {"compare_rdms relu gram"}
    assert finished.plan() == whole(*BOTH, maps="relu") | relu | AFTER_INFORMATION | AFTER_STATISTICS


SPECIFIED = {"join_specifications", "plot_specifications"} | ALL


def of_variant(name):
    return {f"{rule} {name}" for rule in ("join_variant", "correlate_variant", "plot_variant")} | SPECIFIED


def test_a_variant_adds_only_what_no_other_has(finished):
    finished.change(variants={"cosine": {"clustering": "cosine"}})
    expected = trees(*BOTH, on="cosine") | information(*BOTH, on="cosine") | of_variant("cosine")
    assert finished.plan() == expected


def test_a_variant_of_the_join_or_of_k_computes_no_information(finished):
    finished.change(variants={"wrong": {"join": "position"}, "few": {"k": 2}})
    assert finished.plan() == of_variant("wrong") | of_variant("few")


def test_the_study_itself_as_a_variant_computes_no_information(finished):
    finished.change(variants={"as_written": {"readout": "linear", "normalisation": "weights"}})
    assert finished.plan() == of_variant("as_written")


def test_a_grid_shares_what_its_specifications_have_in_common(finished):
    finished.change(
        multiverse={"normalisation": ["weights", "none"], "k": [None, 2], "join": ["key", "position"]}
    )
    maps = "linear-none"
    alone = grams(*BOTH, maps=maps) | rdms(*BOTH, maps=maps) | trees(*BOTH, maps=maps)
    assert finished.plan() == alone | information(*BOTH, maps=maps) | SPECIFIED


def test_a_representation_beside_others_runs_its_own_jobs_and_no_pass_of_the_network(finished):
    finished.change(representations={"compare": ["gram", "mean"]}, networks=["alexnet"], controls=["lite"])
    own = {
        *(f"compute_rdm linear mean {network} L{i}" for network in BOTH for i in (1, 2)),
        *(f"grow_trees linear mean gram {network}" for network in BOTH),
        *(f"measure_information linear mean gram nsb {network}" for network in BOTH),
    }
    beside = {
        f"compare_representation linear {name} gram nsb {network}"
        for name in ("gram", "mean")
        for network in BOTH
    }
    joined = {"join_representations", "plot_representations", "representations"}
    assert finished.plan("representations") == own | beside | joined
    finished.change(representations={"compare": ["sliced_wasserstein"], "sliced": {"per_class": 2}})
    passes = {f"compute_sliced linear {network}" for network in BOTH}
    of_quantiles = {job.replace(" mean ", " sliced_wasserstein ") for job in own | beside if " mean " in job}
    assert finished.plan("representations") == passes | of_quantiles | joined


def test_two_choices_side_by_side_overwrite_nothing(finished):
    """Back at the first choice, only what has no place for the choice in its path is made again."""
    before = {path: path.read_bytes() for path in finished.folder.glob("results/tiny/*/**/*.h5")}
    finished.change(clustering={"on": "cosine"})
    finished.make("mutual_information")
    assert len(before) == 9  # 2 Gram matrices, 4 RDMs, 2 trees, the comparison
    assert {path: path.read_bytes() for path in before} == before
    finished.change(clustering={"on": "gram"})
    assert finished.plan("mutual_information") == {"join_information", "mutual_information"}


def test_a_figures_setting_reruns_that_figure(finished):
    finished.change(figures={"rdm_metric": "euclidean"})
    assert finished.plan() == figures(*BOTH) | ALL


def test_seed_of_the_null_reruns_the_information(finished):
    finished.change(mutual_information={"permutations": 5, "seed": 1})
    assert finished.plan() == FROM_ENTROPIES


def test_how_rdms_are_compared_reruns_the_comparison(finished):
    finished.change(second_order={"correlation": "pearson"})
    assert finished.plan() == COMPARED | AFTER_COMPARISON


def test_a_device_runs_nothing(finished):
    finished.change(device="cpu")
    assert finished.plan() == set()


def test_without_gram_matrices_only_what_needs_them_makes_them_again(finished):
    finished.change(keep={"grams": False})
    assert finished.plan() == set()
    for path in finished.folder.glob("results/tiny/gram/*/*.h5"):
        path.unlink()
    assert finished.plan() == set()
    finished.change(figures={"rdm_metric": "euclidean"}, clustering={"on": "cosine"})
    assert not {job for job in finished.plan() if job.startswith("compute_")}
    finished.change(representation="mean")
    assert grams(*BOTH) <= finished.plan()
    assert "Would remove temporary output" in finished.make("--dry-run")


def test_other_resources_and_threads_run_nothing(finished):
    resources = ["compute_gram:mem_mb=1234", "compute_gram:gpu=0", "compute_rdm:runtime=10"]
    options = ["--set-resources", *resources, "--set-threads", "compute_rdm=1"]
    assert finished.plan(*options) == set()


@pytest.mark.parametrize("seed", [0, 1])
def test_keys_in_another_order_run_nothing(finished, seed):
    order = random.Random(seed)
    for name in ("config/config.yaml", "study.yaml", "models.yaml"):
        content = yaml.safe_load((finished / name).read_text())
        text = yaml.safe_dump(shuffled(content, order), sort_keys=False)
        assert text != yaml.safe_dump(content, sort_keys=False)
        (finished / name).write_text(text)
    assert finished.plan() == set()


def test_defaults_that_are_written_out_run_nothing(finished):
    finished.change(
        clustering={"on": "gram", "k": []},
        dataset=finished.overlay["dataset"] | {"seed": 0, "per_class": None},
    )
    finished.change_model("alexnet", options={}, seed=0)
    assert finished.plan() == set()


# ---------------------------------------------------------------- images, weights and scores


def test_seed_of_the_images_reruns_all_but_the_downloads(finished):
    finished.change(dataset=finished.overlay["dataset"] | {"seed": 1})
    assert finished.plan() == FROM_IMAGES


def test_an_added_class_reruns_all_but_the_downloads(finished):
    make_photographs(finished / "photographs", classes=4)
    assert finished.plan() == FROM_IMAGES


def test_an_edited_image_reruns_all_but_the_downloads(finished):
    image = finished / "photographs/grain1/0.png"
    image.write_bytes((finished / "photographs/grain2/0.png").read_bytes())
    assert finished.plan() == FROM_IMAGES


def test_an_image_replaced_by_an_older_one_of_the_same_size_is_noticed(finished):
    image, other = finished / "photographs/grain1/0.png", finished / "other.png"
    content = bytearray(image.read_bytes())
    content[-20] ^= 1
    other.write_bytes(content)
    os.utime(other, ns=(image.stat().st_atime_ns, image.stat().st_mtime_ns - 10**9))
    assert finished.plan() == set()  # the hashes of all images are remembered now
    os.replace(other, image)
    assert finished.plan() == FROM_IMAGES


def test_touched_images_and_weights_run_nothing(finished):
    for path in [*finished.folder.glob("photographs/*/*.png"), finished / "resources/weights/lite.pth"]:
        touch(path)
    assert finished.plan() == set()


def test_a_score_of_another_network_runs_nothing(finished):
    scores = finished / "resources/brainscore.csv"
    header, *rows = scores.read_text().splitlines()
    assert not any(row.startswith("another,") for row in rows)
    scores.write_text("\n".join([header, f"another{',' * header.count(',')}", *reversed(rows)]) + "\n")
    assert finished.plan() == set()


def test_a_score_of_a_network_of_the_study_reruns_the_correlation(finished):
    name = "resources/brainscore.csv"
    (row,) = [row for row in (finished / name).read_text().splitlines() if row.startswith("alexnet,")]
    finished.edit(name, row, f"alexnet{',' * row.count(',')}")
    assert finished.plan() == AFTER_SCORES


# ---------------------------------------------------------------- code


def test_touched_code_runs_nothing(finished):
    files = [*finished.folder.glob("workflow/scripts/*.py"), *finished.folder.rglob("src/texalign/**/*.py")]
    assert len(files) > 60
    for path in [*files, finished / "study.yaml", finished / "models.yaml"]:
        touch(path)
    assert finished.plan() == set()


def test_a_moved_study_runs_nothing(finished):
    moved = finished.copy(finished.folder.parent / "elsewhere/again")
    shutil.rmtree(finished.folder)
    assert moved.plan() == set()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("images/procedural", FROM_IMAGES),
        ("pictures", FROM_IMAGES),
        ("gram/extract", whole(*BOTH) | JOINTLY),
        ("fast/winograd", whole(*BOTH) | JOINTLY),
        ("networks", whole(*BOTH) | JOINTLY),
        ("geometry/distances", from_rdms(*BOTH) | JOINTLY),
        ("geometry/ward", FROM_TREES),
        ("geometry/compare", COMPARED | AFTER_COMPARISON),
        ("information/nsb", FROM_ENTROPIES),
        ("information/mutual", FROM_ENTROPIES),
        ("information/variation", FROM_ENTROPIES),
        ("information/classes", classes(*BOTH) | figures(*BOTH) | AFTER_STATISTICS),
        ("tables", FROM_ENTROPIES | classes(*BOTH)),
        ("alignment", AFTER_SCORES),
        ("statistics/permutation", AFTER_SCORES),
        # Drawing computes no number again.
        ("figures/style", figures(*BOTH) | {"plot_study", "plot_statistics"} | ALL),
        ("figures/clusters", figures(*BOTH) | {"plot_statistics"} | ALL),
        ("figures/rdms", figures(*BOTH) | {"plot_study"} | ALL),
        ("figures/alignment", {"plot_study", "plot_statistics"} | ALL),
        ("figures/information", {"plot_study", "plot_statistics"} | ALL),
    ],
)
def test_new_content_of_a_library_module_reruns_what_uses_it(finished, module, expected):
    append(finished / f"src/texalign/{module}.py")
    assert finished.plan() == expected


#: What decides how things are fetched, written, told and planned.
PLUMBING = ("__init__", "download", "errors", "files", "job", "lazy")
PLUMBING += tuple(
    f"plan/{name}" for name in ("code", "config", "content", "dataset", "networks", "paths", "recipes")
)


def test_new_content_of_what_no_result_comes_from_runs_nothing(finished):
    others = ("synthesis/losses/paper", "synthesis/descent", "figures/synthesis", "checkpoint")
    for module in (*PLUMBING, *others):
        append(finished / f"src/texalign/{module}.py")
    assert finished.plan() == set()


def test_new_content_of_a_script_reruns_its_rule_and_what_follows(finished):
    append(finished / "workflow/scripts/measure_information.py")
    assert finished.plan() == FROM_INFORMATION


# ---------------------------------------------------------------- targets


def test_the_table_of_information_needs_no_comparison_and_no_figure(unmade):
    planned = unmade.plan("mutual_information")
    expected = FROM_IMAGES | {"fetch_weights lite", "mutual_information"}
    others = JOINTLY | figures(*BOTH) | halves(*BOTH) | classes(*BOTH)
    assert planned == expected - others | {"join_information"}


def test_a_report_is_made_of_what_is_there(finished):
    assert finished.plan("report") == {"report"}
    finished.make("report")
    with zipfile.ZipFile(finished / "results/tiny/report.zip") as archive:
        names = archive.namelist()
    assert (
        sum(name.endswith(".png") for name in names) == 19
    )  # with all layers, and a contact sheet, of both networks
    assert finished.plan() == set()


@pytest.mark.runs
def test_no_name_ends_the_reports_script(finished):
    name = "</script><script>alert('x')</script> & more"
    finished.change_model("lite", label=name, family="</SCRIPT><img src=x onerror=alert(2)>")
    finished.make("report")
    with zipfile.ZipFile(finished / "results/tiny/report.zip") as archive:
        (page,) = [member for member in archive.namelist() if member.endswith("report.html")]
        text = archive.read(page).decode()
    assert "script&gt;alert(" in text
    assert "script>alert(" not in text
    assert "<img src=x" not in text
    table = tables.read(finished / "results/tiny/mutual_information.csv")
    assert name in set(table["label"])


@pytest.mark.runs
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the validator
def test_a_finished_study_is_described_as_a_crate(finished, tmp_path):
    finished.make("describe_run")
    study = finished / "results/tiny"
    about = json.loads((study / "ro-crate-metadata.json").read_text())
    assert crates.validated(study, about, crates.fetched(tmp_path / "fetched")).passed()
    found = {one["@id"]: one for one in about["@graph"]}
    gram = found["gram/linear/alexnet.h5"]
    (job,) = [one for one in about["@graph"] if one.get("result") == {"@id": gram["@id"]}]
    assert job["instrument"] == {"@id": "#rule/compute_gram"}
    assert {"@id": "images.h5"} in job["object"]
    assert {
        "workflow/Snakefile",
        "workflow/rules/gram.smk",
        "workflow/scripts/compute_gram.py",
    } <= found.keys()
    assert {"figures/mutual_information.png", "report/index.html"} <= found.keys()
    page = (study / "report/more/provenance.html").read_text()
    assert "results/tiny/rdm/linear/gram/alexnet/L1.h5" in page
    assert finished.plan("describe_run") == set()


# ---------------------------------------------------------------- synthesis


@pytest.fixture(scope="module")
def synthesised_study(made_once):
    """A small image of a procedural texture, by one network and with the loss of the paper."""
    settings = {"size": 32, "iterations": 3, "class_images": 2, "device": "cpu", "loss": "paper"}
    overlay = {"networks": ["squeezenet1_1"], "synthesis": settings}
    return made_once(
        "synthesised",
        lambda folder: Study(folder, overlay, models(), copy=not folder.exists()),
        "synthesis",
    )


@pytest.fixture
def synthesised(synthesised_study, tmp_path):
    return synthesised_study.copy(tmp_path / "study")


TEXTURE = "stripes_0000"
SCORES = {f"score_texture {TEXTURE} squeezenet1_1", "join_scores"}
DRAWN = {"plot_synthesis 0", "plot_scores", "plot_traces", "synthesis"}
IMAGES = {"synthesize_textures squeezenet1_1 all 0", f"score_statistics {TEXTURE}"} | SCORES | DRAWN


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("synthesis/losses/paper", IMAGES),
        ("synthesis/losses/common", IMAGES),
        ("synthesis/descent", IMAGES),
        ("fast/winograd", IMAGES),
        ("synthesis/scores", SCORES | {"plot_scores", "synthesis"}),
        ("figures/synthesis", DRAWN),
    ],
)
def test_new_content_of_a_library_module_reruns_the_images_that_use_it(synthesised, module, expected):
    append(synthesised / f"src/texalign/{module}.py")
    assert synthesised.plan("synthesis") == expected


def test_new_content_of_what_no_image_comes_from_runs_nothing(synthesised):
    others = ("synthesis/losses/gatys", "gram/extract", "geometry/ward", "information/nsb")
    for module in (*PLUMBING, *others):
        append(synthesised / f"src/texalign/{module}.py")
    assert synthesised.plan("synthesis") == set()
