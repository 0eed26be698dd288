"""The profile for Slurm on a real Slurm: what its own records say of where jobs ran, and with what."""

import re
import sys
from collections import Counter

import cluster
import pytest
import yaml
from studies import Study, run

pytestmark = pytest.mark.slurm

NETWORKS = ("alexnet", "resnet18")


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
    return Study(tmp_path_factory.mktemp("slurm"), {"networks": list(NETWORKS)})


def submit(study, name, *targets, retries=1, compute_gram=None, **set_resources):
    """Run snakemake by the profile, changed where this machine is not a cluster."""
    profile = yaml.safe_load((study / "profiles/slurm/profile.yaml").read_text())
    profile |= {
        "slurm-status-command": "squeue",
        "slurm-init-seconds-before-status-checks": 2,
        "latency-wait": 5,
    }
    profile["set-resources"]["compute_gram"] |= compute_gram or {}
    profile["set-resources"] |= set_resources
    (study / name).mkdir()
    (study / name / "profile.yaml").write_text(yaml.safe_dump(profile))
    command = [sys.executable, "-m", "snakemake", "--profile", name, "--configfile", "study.yaml"]
    return run([*command, "--retries", str(retries), "--", *targets], study.folder)


def jobs_since(slurm, last):
    """The records of later jobs: what the plugin noted as the rule or group, and what Slurm gave it."""
    found = []
    for record in slurm.records():
        if int(record["JobId"]) > last:
            rule = re.match(r"rule_(geometry|summary|[a-z]+_[a-z]+)", record["Comment"])[1]
            found.append(record | {"rule": rule})
    return sorted(found, key=lambda record: int(record["JobId"]))


def last_job(slurm):
    return max((int(record["JobId"]) for record in slurm.records()), default=0)


def megabytes(record):
    return int(re.search(r"mem=(\d+)M", record["TRES"])[1])


def test_gram_jobs_run_on_gpus_and_all_others_in_one_submission_a_network(slurm, study):
    last = last_job(slurm)
    # These GPUs are invented: the card is asked for and given, the computing is done without it.
    done = submit(study, "as-it-is", compute_gram={"device": "cpu"})
    assert done.returncode == 0, done.stdout
    assert (study / "results/tiny/figures/mutual_information.png").exists()

    jobs = jobs_since(slurm, last)
    for job in jobs:
        print(
            *(f"{key}={job[key]}" for key in ("JobId", "rule", "JobState", "Partition", "JOB_GRES", "TRES"))
        )
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert Counter(job["rule"] for job in jobs) == {
        "decode_images": 1,
        "compute_gram": len(NETWORKS),
        "geometry": len(NETWORKS),
        "summary": 1,
    }
    where = {(job["rule"] == "compute_gram", job["Partition"], job["JOB_GRES"]) for job in jobs}
    assert where == {(True, "gpu", "gpu:1"), (False, "cpu", "(null)")}
    gpus = [job.get("TresPerJob") for job in jobs if job["rule"] == "compute_gram"]
    assert gpus == ["gres:gpu:1"] * len(NETWORKS)


def test_a_job_that_slurm_kills_for_its_memory_is_given_more(slurm, study):
    last = last_job(slurm)
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
    study.change(study="tiny")
    done = submit(study, "no-cuda", "results/tiny/gram/relu/alexnet.h5", retries=0)
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
    assert not (study / "results/tiny/gram/relu/alexnet.h5").exists()
