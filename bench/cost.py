"""What a finished study cost, from its `benchmark:` files: by rule and by network.

Usage: python bench/cost.py results/<study>

`gpu_job_minutes` is the wall time of the jobs that ask for a GPU: minutes on one, where they got it.
`submissions` is what a cluster is sent, by the groups of `profiles/slurm`.
"""

import argparse
from pathlib import Path

import pandas as pd
import yaml

PROFILE = Path(__file__).parents[1] / "profiles/slurm/profile.yaml"

ON_GPU = (
    *("compute_gram", "compute_sliced", "measure_activations", "synthesize_textures", "score_texture"),
    *("train_generator", "train_style", "train_dcgan", "stylise_image", "blend_textures", "sample_stimuli"),
)
#: Where the network stands in the path of a rule's benchmark files, if it is not the last part.
PART = {"compute_rdm": -2, "synthesize_textures": 1}
#: Rules whose benchmark files are of no network.
NO_NETWORK = ("compare_rdms", "synthesize_statistics", "score_statistics")


def network_of(rule, parts):
    """The network that a benchmark file is about, from its path below the rule's; else nothing."""
    if not parts or rule in NO_NETWORK:
        return ""
    return parts[PART.get(rule, -1)]


def read(folder):
    """One row a job: rule, network, seconds, CPU seconds, peak memory in MB, submission."""
    benchmarks = Path(folder, "benchmarks")
    groups = yaml.safe_load(PROFILE.read_text())["groups"]
    rows = []
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule, *parts = path.relative_to(benchmarks).with_suffix("").parts
        network = network_of(rule, parts)
        job = pd.read_csv(path, sep="\t").iloc[-1]
        submission = (groups[rule], network) if rule in groups else (rule, *parts)
        rows.append((rule, network, job["s"], job["cpu_time"], job["max_rss"], submission))
    columns = ["rule", "network", "seconds", "cpu_seconds", "peak_mb", "submission"]
    return pd.DataFrame(rows, columns=columns)


def by_rule(jobs):
    return jobs.groupby("rule").agg(
        jobs=("seconds", "size"),
        seconds_median=("seconds", "median"),
        seconds_largest=("seconds", "max"),
        cpu_hours=("cpu_seconds", lambda s: s.sum() / 3600),
        peak_mb=("peak_mb", "max"),
    )


def by_network(jobs, folder):
    ours = jobs[jobs["network"] != ""]
    ours = ours.assign(gpu=ours["seconds"].where(ours["rule"].isin(ON_GPU), 0))
    table = ours.groupby("network").agg(
        cpu_minutes=("cpu_seconds", lambda s: s.sum() / 60),
        gpu_job_minutes=("gpu", lambda s: s.sum() / 60),
        peak_mb=("peak_mb", "max"),
        submissions=("submission", "nunique"),
    )
    table[["GB", "files"]] = [written(folder, network) for network in table.index]
    return table


def written(folder, network):
    """GB and number of the files that bear a network's name."""
    paths = (path.relative_to(folder) for path in Path(folder).rglob("*"))
    ours = [Path(folder, p) for p in paths if network in (p.stem, *p.parts) and Path(folder, p).is_file()]
    return sum(path.stat().st_size for path in ours) / 1e9, len(ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    jobs = read(folder)
    print(by_rule(jobs).round(2).to_string(), "\n")
    print(by_network(jobs, folder).round(2).to_string(), "\n")
    print(f"{jobs['submission'].nunique()} submissions in all")


if __name__ == "__main__":
    main()
