"""The profiles: they know every rule, they agree with each other, and a scheduler can be any command."""

import re
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import plan
import pytest
import yaml
from studies import REPOSITORY, Study, run

CLUSTERS = ("slurm", "generic")


def profile(name):
    return yaml.safe_load((REPOSITORY / f"profiles/{name}/profile.yaml").read_text())


def rules():
    """Every rule that makes files, as its text; those of a loop by the name of the first."""
    text = "".join(path.read_text() for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")))
    local = re.search(r"localrules:\n((?:    \w+,\n)+)", text)[1]
    text = re.sub(
        r"^    rule:\n        name:\n            list_rule\n", "rule synthesize_textures:\n", text, flags=re.M
    )
    blocks = dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n)*)", text, re.MULTILINE))
    assert "synthesize_textures" in blocks
    return {
        rule: block
        for rule, block in blocks.items()
        if "    output:\n" in block and "localrule: True" not in block and f"    {rule}," not in local
    }


def on_gpu(rule):
    return re.search(r"^ +gpu=", rule, re.MULTILINE) is not None


@pytest.mark.parametrize("name", CLUSTERS)
def test_profile_names_only_rules_that_exist(name):
    for key in ("set-resources", "set-threads", "groups"):
        assert set(profile(name)[key]) <= set(rules()), key


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_rule_with_a_gpu_goes_where_gpus_are(name):
    key = {"slurm": "slurm_partition", "generic": "queue"}[name]
    resources = profile(name)["set-resources"]
    for rule, block in rules().items():
        asked = resources.get(rule, {}).get(key, profile(name)["default-resources"][key])
        assert asked == ("gpu" if on_gpu(block) else "cpu"), rule


@pytest.mark.parametrize("name", CLUSTERS)
def test_memory_and_time_grow_with_each_attempt(name):
    sections = [profile(name)["default-resources"], *profile(name)["set-resources"].values()]
    for section in sections:
        for key in {"mem_mb", "runtime"} & set(section):
            one = SimpleNamespace(exemplars=["one"])
            first, second, third = (
                eval(section[key], {"attempt": attempt, "input": one}) for attempt in (1, 2, 3)
            )
            assert 0 < first < second < third


def test_the_profiles_ask_for_the_same():
    slurm, generic = (profile(name) for name in CLUSTERS)
    for key in ("groups", "group-components", "set-threads", "retries", "jobs", "cores", "resources"):
        assert slurm[key] == generic[key], key
    for rule, resources in slurm["set-resources"].items():
        theirs = generic["set-resources"][rule]
        assert {key: resources[key] for key in resources if "partition" not in key} == {
            key: theirs[key] for key in theirs if key != "queue"
        }


def test_only_long_jobs_have_a_submission_of_their_own():
    alone = set(rules()) - set(profile("slurm")["groups"])
    on_gpus = {rule for rule, block in rules().items() if on_gpu(block)}
    assert alone == {"decode_images", "compare_rdms", "synthesize_statistics"} | on_gpus


def test_a_study_is_one_submission_a_network_and_stage(fresh):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--profile", "profiles/slurm"]
    done = run(command, fresh.folder)
    local = {"fetch_weights": 12, "fetch_dtd": 1, "unpack_dtd": 1, "all": 1}
    once = {"decode_images": 1, "compare_rdms": 1, "group summary": 1}
    expected = local | once | {"compute_gram": 13, "group geometry": 13}
    assert plan.count_submissions(done.stdout) == expected, done.stdout
    assert sum(plan.count_jobs(done.stdout).values()) == 168

    done = run([*command, "synthesis", "--configfile", "config/demo.yaml"], fresh.folder)
    local = {"prepare_exemplar": 2, "synthesis": 1}
    on_gpus = {"synthesize_textures": 2, "synthesize_textures_1": 2, "score_texture": 4}
    assert plan.count_submissions(done.stdout) == local | on_gpus | {"group synthesis": 1}, done.stdout


OF_THE_SECOND = "set-resources:\n  synthesize_textures_1:\n    device: cpu\n"


def test_what_a_profile_says_of_a_loops_rules_holds_for_all_of_them(fresh):
    """Partition, threads, memory and time; these grow with the textures of a list."""
    names = ["stripes/stripes_0000.png", ["dots/dots_0000.png", "dots/dots_0001.png"]]
    fresh.change(networks=["alexnet"], synthesis={"textures": names})
    text = (fresh / "profiles/slurm/profile.yaml").read_text()
    text = text.replace("set-threads:\n", "set-threads:\n  synthesize_textures: 3\n")
    (fresh / "profiles/slurm/profile.yaml").write_text(text)
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--profile", "profiles/slurm", "synthesis"]
    done = run([*command, "--configfile", "study.yaml"], fresh.folder)
    blocks = dict(re.findall(r"^rule (synthesize_\w+):\n((?:    .*\n)*)", done.stdout, re.MULTILINE))
    assert set(blocks) == {"synthesize_textures", "synthesize_textures_1"}, done.stdout
    for block, asked in (
        (blocks["synthesize_textures"], ("mem_mb=8000,", "runtime=60")),
        (blocks["synthesize_textures_1"], ("mem_mb=10000,", "runtime=120")),
    ):
        for words in ("threads: 3", "slurm_partition=gpu", "device=cuda", "gpu=1", *asked):
            assert words in block, block

    # What is said of another rule of the loop changes that alone.
    fresh.edit("profiles/slurm/profile.yaml", "set-resources:\n", OF_THE_SECOND)
    other = run([*command, "--configfile", "study.yaml"], fresh.folder)
    blocks = dict(re.findall(r"^rule (synthesize_\w+):\n((?:    .*\n)*)", other.stdout, re.MULTILINE))
    assert "device=cuda" in blocks["synthesize_textures"]
    for words in ("device=cpu", "slurm_partition=gpu", "mem_mb=10000,", "runtime=120"):
        assert words in blocks["synthesize_textures_1"], other.stdout


def test_a_plan_of_many_networks_is_quick_and_small():
    # In a process of its own: a child's peak memory is at least that of the process it was forked from.
    done = run([sys.executable, "bench/plan.py", "--networks", "100"], REPOSITORY)
    assert done.returncode == 0, done.stdout
    assert f"{11 * 100 + 9} jobs:" in done.stdout
    assert f"{2 * 100 + 4} submissions and local jobs:" in done.stdout
    seconds, peak_mb = map(int, re.search(r"(\d+) s of CPU, (\d+) MiB", done.stdout).groups())
    # A tenth of what 1,000 networks may take, and what snakemake takes for none.
    assert seconds < 6 + 10
    assert peak_mb < 200 + 150


#: A scheduler of Grid Engine's commands: runs the script at once, and keeps books in a folder.
QSUB = """#!/bin/bash
books=$(dirname "$0")/books; mkdir -p $books; cd $books
job=$(( $(ls | grep -c asked) + 1 )); echo "$@" > $job.asked
{ bash "${@: -1}"; echo $? > $job.exit; } > $job.out 2>&1 < /dev/null &
disown; echo $job
"""
QSTAT = """#!/bin/bash
books=$(dirname "$0")/books
[ ! -e $books/$2.exit ] && echo "job_number: $2"
"""
QACCT = """#!/bin/bash
echo failed 0; echo exit_status $(cat $(dirname "$0")/books/$2.exit)
"""


@pytest.mark.runs
def test_a_scheduler_known_by_its_commands_alone(tmp_path, monkeypatch):
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    study = Study(tmp_path / "study")
    for name, text in (("qsub", QSUB), ("qstat", QSTAT), ("qacct", QACCT), ("qdel", "#!/bin/sh\n")):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    for old, new in (
        ("device: cuda", "device: cpu"),
        ("per-second: 1", "per-second: 10"),
        # Two networks in one submission, and a node with room for half of them at a time.
        ("geometry: 1\n", "geometry: 2\n"),
        ("cores: 32", "cores: 4"),
    ):
        study.edit("profiles/generic/profile.yaml", old, new)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/generic", "--retries", "0"]
    done = run([*command, "--configfile", "study.yaml", "--", "clusters"], study.folder)
    assert done.returncode == 0, done.stdout

    asked = [path.read_text() for path in sorted((tmp_path / "bin/books").glob("*.asked"))]
    submissions = Counter(re.search(r"-N (\w+) -q (\w+)", line).groups() for line in asked)
    assert submissions == {("decode_images", "cpu"): 1, ("compute_gram", "gpu"): 2, ("GROUP", "cpu"): 1}
    for line in asked:
        gram = "-N compute_gram" in line
        assert ("-l gpu=1" in line) == gram
        assert not gram or "-pe smp 4 -l h_vmem=4000M -l h_rt=7200" in line
        # Four RDMs in two turns of an hour, then the trees of both networks.
        assert "-N GROUP" not in line or "-pe smp 4 -l h_vmem=2000M -l h_rt=8400" in line


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ({"qstat": "echo job_number: 7", "qacct": "exit 1"}, "running"),
        ({"qstat": "echo error reason 1: no such queue", "qacct": "exit 1"}, "failed"),
        ({"qstat": "exit 1", "qacct": "echo failed 0; echo exit_status 0"}, "success"),
        ({"qstat": "exit 1", "qacct": "echo failed 0; echo exit_status 137"}, "failed"),
        ({"qstat": "exit 1", "qacct": "echo failed 100 : assumedly after job"}, "running"),
        ({"qstat": "exit 1", "qacct": "exit 1"}, "running"),
        ({"bjobs": "echo PEND"}, "running"),
        ({"bjobs": "echo DONE"}, "success"),
        ({"bjobs": "echo EXIT"}, "failed"),
        ({"qstat": "echo '    job_state = R'"}, "running"),
        ({"qstat": "echo '    job_state = F'; echo '    Exit_status = 0'"}, "success"),
        ({"qstat": "echo '    job_state = F'; echo '    Exit_status = 271'"}, "failed"),
    ],
)
def test_status_of_a_job(tmp_path, commands, told):
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    answer = subprocess.run(
        [REPOSITORY / "profiles/generic/status.sh", "7"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == f"{told}\n"
