"""What it costs to plan a study of many networks: a dry run, its CPU time and its peak memory.

Usage: python bench/plan.py [--networks 1000] [--profile profiles/slurm] [TARGET ...]

The networks are made up, untrained, of five layers each. CPU time, because it is the same on a busy
machine; snakemake plans in one thread, so that it is the time to wait on an idle one.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
LAYERS = ["bn1", "layer1.0.bn1", "layer2.0.bn1", "layer3.0.bn1", "layer4.0.bn1"]


def write_study(folder, networks):
    """Write a study of made-up networks and their table; return the study's path."""
    names = [f"network{i:05d}" for i in range(networks)]
    entry = {"architecture": "resnet18", "weights": "untrained", "layers": LAYERS}
    (folder / "models.yaml").write_text(yaml.safe_dump({name: entry | {"label": name} for name in names}))
    study = {"study": "plan", "networks": names, "controls": [], "models": str(folder / "models.yaml")}
    study["dataset"] = {"source": "procedural", "classes": 47, "per_class": 120}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder / "study.yaml"


def dry_run(networks, targets, profile):
    """Plan the study, and return what snakemake tells."""
    with tempfile.TemporaryDirectory() as folder:
        study = write_study(Path(folder), networks)
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--profile", profile, *targets]
        done = subprocess.run(
            [*command, "--configfile", str(study)], cwd=REPOSITORY, capture_output=True, text=True
        )
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout + done.stderr


def count_jobs(output):
    return Counter(re.findall(r"^ *(?:local)?rule (\w+):$", output, re.MULTILINE))


def count_submissions(output):
    """Count groups, as ``group geometry``, and the rules that are in none, local ones among them."""
    found = re.findall(r"^(?:\[.*\] (Group) job |(?:local)?rule )(\w+)\b", output, re.MULTILINE)
    return Counter(f"group {name}" if group else name for group, name in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--profile", default="profiles/slurm")
    arguments = parser.parse_args()
    output = dry_run(arguments.networks, arguments.targets, arguments.profile)
    # Of the one process that was started.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    for what, counted in (
        ("jobs", count_jobs(output)),
        ("submissions and local jobs", count_submissions(output)),
    ):
        print(f"{sum(counted.values())} {what}:", *(f"{count} {name}," for name, count in counted.items()))
    print(f"{used.ru_utime + used.ru_stime:.0f} s of CPU, {used.ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
