"""The profile for Slurm on a real Slurm: what its own records say of where jobs ran, and with what."""

import re
import sys
from collections import Counter

import cluster
import pytest
import yaml
from studies import Study, run

pytestmark = pytest.mark.slurm

#: Laid over the demo: its networks, its textures and all that it makes, of fewer and smaller images.
SMALLER = {
    "dataset": {"per_class": 3},
    "image": {"size": 96},
    "mutual_information": {"permutations": 5},
    "synthesis": {"iterations": 3, "class_images": 2},
}
MEASURED = ("efficientnet_lite0", "alexnet", "resnet18", "inception_v3", "efficientnet_lite0_untrained")
SYNTHESISERS = ("efficientnet_lite0", "resnet18")
TEXTURES = ("bubbly_0000", "woven_0000")

ON_GPUS = ("compute_gram", "synthesize_textures", "synthesize_textures_1", "score_texture")


@pytest.fixture(scope="session")
def slurm():
    reason = cluster.why_not()
    if reason:
        pytest.skip(reason)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("slurm"))
    study.overlay = SMALLER
    study.write()
    return study


def submit(study, name, *targets, retries=1, **set_resources):
    """Run snakemake by the profile, changed where this machine is not a cluster."""
    profile = yaml.safe_load((study / "profiles/slurm/profile.yaml").read_text())
    profile |= {
        "slurm-status-command": "squeue",
        "slurm-init-seconds-before-status-checks": 2,
        "latency-wait": 5,
        "retries": retries,
    }
    for rule, resources in set_resources.items():
        profile["set-resources"][rule] = profile["set-resources"].get(rule, {}) | resources
    (study / name).mkdir()
    (study / name / "profile.yaml").write_text(yaml.safe_dump(profile))
    command = [sys.executable, "-m", "snakemake", "--profile", name]
    command += ["--configfile", "config/demo.yaml", "study.yaml", "--"]
    return run([*command, *targets], study.folder, timeout=1800)


def jobs_since(slurm, last):
    """The records of later jobs: what the plugin noted as the rule or group, and what Slurm gave it."""
    found = []
    for record in slurm.records():
        if int(record["JobId"]) > last:
            rule = re.match(r"rule_(geometry|summary|synthesis|[a-z]+_[a-z]+(?:_1)?)", record["Comment"])[1]
            found.append(record | {"rule": rule})
    return sorted(found, key=lambda record: int(record["JobId"]))


def last_job(slurm):
    return max((int(record["JobId"]) for record in slurm.records()), default=0)


def megabytes(record):
    return int(re.search(r"mem=(\d+)M", record["TRES"])[1])


def test_the_demo_and_its_synthesis_run_where_they_should(slurm, study):
    last = last_job(slurm)
    # These GPUs are invented: the card is asked for and given, the computing is done without it.
    done = submit(study, "as-it-is", "all", "synthesis", **{rule: {"device": "cpu"} for rule in ON_GPUS})
    assert done.returncode == 0, done.stdout

    jobs = jobs_since(slurm, last)
    keys = ("JobId", "rule", "JobState", "Partition", "NumCPUs", "JOB_GRES", "TRES", "StartTime", "EndTime")
    for job in jobs:
        print(*(f"{key}={job[key]}" for key in keys))
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert Counter(job["rule"] for job in jobs) == {
        "decode_images": 1,
        "compute_gram": len(MEASURED),
        "geometry": len(MEASURED),
        "compare_rdms": 1,
        "summary": 1,
        "synthesize_textures": len(SYNTHESISERS),
        "synthesize_textures_1": len(SYNTHESISERS),
        "score_texture": len(TEXTURES) * len(SYNTHESISERS),
        "synthesis": 1,
    }
    where = {(job["rule"] in ON_GPUS, job["Partition"], job["JOB_GRES"]) for job in jobs}
    assert where == {(True, "gpu", "gpu:1"), (False, "cpu", "(null)")}
    assert {job["TresPerJob"] for job in jobs if job["rule"] in ON_GPUS} == {"gres:gpu:1"}
    # A network's five layers side by side, two CPUs each.
    assert {job["NumCPUs"] for job in jobs if job["rule"] == "geometry"} == {"10"}


def test_everything_that_the_demo_makes_is_there(study):
    results = study / "results/demo"
    if not (results / "mutual_information.csv").exists():
        pytest.skip("nothing was made by Slurm")
    made = {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}
    expected = {
        "rdms.h5",
        "summary.csv",
        "brainscore_correlation.csv",
        "brainscore_networks.csv",
        "synthesis/scores.csv",
    }
    figures = ["mutual_information", "brainscore", "second_order"]
    figures += [f"clusters/{network}" for network in MEASURED]
    figures += [f"synthesis/{figure}" for figure in ("seed0", "loss", "scores")]
    expected |= {f"figures/{figure}.{kind}" for figure in figures for kind in ("png", "pdf")}
    expected |= {f"figures/rdm/{network}/L{layer}.png" for network in MEASURED for layer in range(1, 6)}
    expected |= {
        f"synthesis/{texture}/descent/{maker}/all/seed0.png" for texture in TEXTURES for maker in SYNTHESISERS
    }
    assert expected <= made
    assert not study.leftovers()


def test_a_job_that_slurm_kills_for_its_memory_is_given_more(slurm, study):
    last = last_job(slurm)
    # Another study, so that there is something to do.
    study.change(study="memory")
    done = submit(
        study,
        "too-little",
        "results/memory/images.h5",
        decode_images={"mem_mb": "120 * 20 ** (attempt - 1)"},
    )
    assert done.returncode == 0, done.stdout

    first, second = jobs_since(slurm, last)
    print(*((job["JobState"], megabytes(job), job["TimeLimit"]) for job in (first, second)))
    log = slurm.HOME / "slurmd.log"
    assert re.search(rf"\[{first['JobId']}\.\w+\] error: .* exceeded memory limit", log.read_text())
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert (megabytes(first), megabytes(second)) == (120, 2400)
    # The profile's own growth.
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:20:00", "00:40:00")


def test_a_node_without_its_gpu_fails_with_one_line(slurm, study):
    last = last_job(slurm)
    study.change(study="memory")
    done = submit(study, "no-cuda", "results/memory/gram/relu/alexnet.h5", retries=0)
    assert done.returncode != 0
    told = [line for line in done.stdout.splitlines() if line.startswith("texalign: ")]
    print(*set(told))
    assert len(set(told)) == 1
    assert re.match(
        r"texalign: .*device: cuda is not available on \S+ \(torch .*\); use auto or cpu", told[0]
    )
    assert "Traceback" not in done.stdout
    *_, job = jobs_since(slurm, last)
    assert (job["rule"], job["JobState"], job["Partition"]) == ("compute_gram", "FAILED", "gpu")
    assert not (study / "results/memory/gram/relu/alexnet.h5").exists()
