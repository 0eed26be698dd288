"""What a study cost: which job is whose, and what a cluster is sent."""

import re

import cost
import pytest
from studies import REPOSITORY

#: Benchmark files of a study of two networks, two layers, one texture and two seeds, with seconds.
FILES = {
    "decode_images": 1,
    "compute_gram/linear/a": 10,
    "compute_gram/linear/b.c": 20,
    "compute_rdm/linear/gram/a/L1": 2,
    "compute_rdm/linear/gram/a/L2": 3,
    "grow_trees/linear/gram/gram/a": 15,
    "measure_information/linear/gram/gram/nsb/a": 7,
    "compare_rdms/linear/gram": 17,
    "synthesize_textures/bark/a/all/seed0": 30,
    "synthesize_textures/bark/a/all/seed1": 40,
    "synthesize_textures/bark/a/L1/seed0": 50,
    "synthesize_textures/bark/b.c/all/seed0": 60,
    "synthesize_statistics/bark/seed0": 70,
    "score_texture/bark/a": 80,
    "score_statistics/bark": 90,
    "measure_activations/a": 100,
}


@pytest.fixture
def folder(tmp_path):
    for name, seconds in FILES.items():
        path = tmp_path / f"benchmarks/{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t{seconds}\t{2 * seconds}\n")
    (tmp_path / "gram/linear").mkdir(parents=True)
    (tmp_path / "gram/linear/b.c.h5").write_bytes(bytes(1000))
    return tmp_path


def test_every_job_belongs_to_its_network(folder):
    networks = cost.read(folder).groupby("network")["seconds"].sum().to_dict()
    alone = 1 + 17 + 70 + 90
    assert networks == {"": alone, "a": 10 + 2 + 3 + 15 + 7 + 30 + 40 + 50 + 80 + 100, "b.c": 80}


def test_a_network_is_told_with_its_gpu_jobs_submissions_and_files(folder):
    table = cost.by_network(cost.read(folder), folder)
    assert list(table.index) == ["a", "b.c"]
    assert table.loc["a", "gpu_job_minutes"] == pytest.approx((10 + 30 + 40 + 50 + 80 + 100) / 60)
    assert table.loc["a", "cpu_minutes"] == pytest.approx(2 * 337 / 60)
    assert table.loc["a", "peak_mb"] == 100
    # Gram matrices, all that follows them, three images, a score, activations.
    assert table["submissions"].to_dict() == {"a": 7, "b.c": 2}
    # The Gram file and two benchmark files.
    assert table.loc["b.c", "files"] == 3
    assert table.loc["b.c", "GB"] > 1e-6


def test_submissions_of_the_whole_study(folder):
    jobs = cost.read(folder)
    # Of no network: images, comparison, the statistics' image, what is joined of synthesis.
    assert jobs["submission"].nunique() == 7 + 2 + 4
    assert list(cost.by_rule(jobs).loc["synthesize_textures", ["jobs", "seconds_largest"]]) == [4, 60]


def rules():
    text = "".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
    loop = r"^    rule:\n        name:\n            list_rule\n"
    text = re.sub(loop, "rule synthesize_textures:\n", text, flags=re.MULTILINE)
    return dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n)*)", text, re.MULTILINE))


def test_the_rules_on_gpus_are_those_that_ask_for_one():
    assert set(cost.ON_GPU) == {rule for rule, block in rules().items() if "        gpu=" in block}


def test_the_network_is_found_in_every_rules_path():
    for rule, block in rules().items():
        for path in re.findall(r'"{STUDY}/benchmarks/(\S+)\.tsv"', block):
            assert path.split("/")[0] == rule
            found = cost.network_of(rule, path.split("/")[1:])
            assert ("{{network}}" in found) == ("{{network}}" in path), path
