"""How large the report of a whole study is, how long it takes and how soon it shows: without the study.

Usage: python bench/report_size.py FOLDER [--networks 12] [--layers 5] [--classes 47] [--per-class 120]

Distances are made up: those of random features of rank 20 that have something of the classes, anew for each
layer. All behind them is the workflow's own, script by script: trees, tables, pages. The textures are
procedural. What FOLDER has already is not made again, so that a run may be taken in parts (`--until`).
"""

import argparse
import json
import os
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPTS = REPOSITORY / "workflow/scripts"
CHOICES = {"dataset": {"source": "procedural"}, "clustering": {"on": "gram"}, "readout": "linear"}
METRICS = ["average_vision", "V1", "V2", "V4", "IT"]


def features(rng, classes, rank=20):
    """Features of textures whose classes lie apart, but not by much; float32 (n, rank)."""
    centres = rng.normal(size=(classes.max() + 1, rank))
    return (0.6 * centres[classes] + rng.normal(size=(len(classes), rank))).astype(np.float32)


def write_rdm(path, seed, files, names, classes):
    from texalign import store
    from texalign.geometry import distances

    rows = features(np.random.default_rng(seed), classes)
    with store.create_h5(path, {"rule": "compute_rdm", "params": {"seed": seed}}) as file:
        file["euclidean"] = distances.rdm(rows)
        store.write_keys(file, files, names)
        file.attrs.update(module=f"layer{path.stem}", channels=256, positions=784, depth=0.5)
        file.attrs["weights_sha256"] = f"{seed:064x}"


def script(name, inputs, outputs, params, wildcards=(), log=None):
    """Run a rule's script as snakemake would, and return its CPU seconds and peak memory in MiB."""
    job = {"rule": name, "input": inputs, "output": outputs, "params": params, "wildcards": dict(wildcards)}
    command = [sys.executable, __file__, "--script", str(SCRIPTS / f"{name}.py")]
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} failed")
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f"{name}: {cpu:.1f} s of CPU, {time.monotonic() - began:.0f} s, {memory:.0f} MiB", flush=True)
    return cpu, memory


class Job:
    """What a script reads of snakemake."""

    def __init__(self, rule, threads=1, log=(), **lists):
        from snakemake.iocontainers import Namedlist

        self.rule, self.threads, self.log = rule, threads, log
        for name, value in lists.items():
            made = Namedlist(value if isinstance(value, list) else [])
            if isinstance(value, dict):
                made = Namedlist(fromdict=value)
            setattr(self, name, made)


def names_of(classes, per_class):
    from texalign.images import procedural

    names = np.repeat([procedural.class_name(c) for c in range(classes)], per_class)
    files = [f"{name}/{name}_{i % per_class:04d}.png" for i, name in enumerate(names)]
    return files, names, np.repeat(np.arange(classes), per_class)


def write_thumbnails(folder, classes, per_class, files, names):
    from texalign.images import procedural
    from texalign.report import thumbnails

    images = (procedural.draw((0, c, i), 224) for c in range(classes) for i in range(per_class))
    thumbnails.write(folder, files, names, images)


def network_pages(study, network, seed, layers, textures):
    """Distances, trees, tables and pages of one network."""
    from texalign.plan import explained

    columns = explained.columns((REPOSITORY / "docs/results.md").read_text(encoding="utf-8"))
    files, names, classes = textures
    rdms = [study / f"rdm/linear/gram/{network}/L{i + 1}.h5" for i in range(layers)]
    for i, path in enumerate(rdms):
        write_rdm(path, 1000 * seed + i, files, names, classes)
    paths = [str(path) for path in rdms]
    at = {
        kind: str(study / f"{kind}/{network}.{suffix}")
        for kind, suffix in (
            *(("clusters", "h5"), ("information", "csv"), ("by_k", "csv")),
            *(("labels", "csv"), ("confusions", "csv"), ("classes", "csv")),
        )
    }
    script("grow_trees", {"rdms": paths}, [at["clusters"]], {"k": []}, {"clustering": "gram"})
    script(
        "measure_information",
        {"clusters": at["clusters"]},
        {"information": at["information"], "by_k": at["by_k"]},
        {"permutations": 5, "seed": 0, "simulations": 20, "largest_k": 100},
        {"estimator": "nsb"},
    )
    tables = {kind: at[kind] for kind in ("labels", "confusions", "classes")}
    script("describe_classes", {"rdms": paths, "clusters": at["clusters"]}, tables, {})
    inputs = {kind: at[kind] for kind in ("clusters", "information", "by_k", "labels", "confusions")}
    params = {"study": study.name, "metric": "euclidean", "representation": "gram", "label": network}
    params |= {"clustering": CHOICES["clustering"]["on"]}
    output = study / f"report/networks/{network}"
    script("html_network", {"rdms": paths} | inputs, [str(output)], params | {"columns": columns})
    for path in rdms:
        path.unlink()  # 130 MB each


def copied(study, network, other):
    """Take one network's pages and tables for another's: their files would be as large."""
    shutil.copytree(study / f"report/networks/{network}", study / f"report/networks/{other}")
    for kind in ("information", "confusions"):
        for ending in (".csv", ".csv.json"):
            shutil.copy(study / f"{kind}/{network}{ending}", study / f"{kind}/{other}{ending}")


def first_pages(study, networks, layers):
    """The study's tables, and the pages that show them."""
    from texalign import tables
    from texalign.plan import explained

    about = {
        name: {"label": name, "family": name.rstrip("0123456789"), "weights": "made up"} for name in networks
    }
    main, summary, scored = (
        str(study / f"{name}.csv") for name in ("mutual_information", "summary", "networks")
    )
    inputs = [str(study / f"information/{name}.csv") for name in networks]
    params = {"names": about, "clustering": "gram", "readout": "linear", "controls": []}
    script("join_information", {"information": inputs}, [main], params)
    rng = np.random.default_rng(0)
    table = tables.read(main)
    best = tables.best_layers(table)[["network", "layer"]].assign(best=True)
    joined = table.merge(best, how="left", on=["network", "layer"]).fillna({"best": False})
    joined = joined.assign(class_identity=rng.uniform(size=len(table)))
    for metric in METRICS:
        joined[metric] = rng.uniform(0.1, 0.5, len(joined))
    tables.write(summary, joined)
    tables.write(scored, pd.DataFrame({"network": networks, "scored": True}))
    pairs = [tables.read(study / f"confusions/{name}.csv").assign(network=name) for name in networks]
    confusions = str(study / "confusions.csv")
    tables.write(confusions, pd.concat(pairs))
    low_high = {"fisher_low": -0.6, "fisher_high": 0.5, "r_detectable": 0.71, "power_half": 0.4}
    rows = [{"layer": "best", "metric": metric, "n": len(networks), "pearson_r": -0.1} for metric in METRICS]
    uncertainty = str(study / "brainscore_uncertainty.csv")
    tables.write(uncertainty, [row | low_high for row in rows])
    jobs = study / "jobs.tsv"
    jobs.write_text("output_file\tdate\trule\tlog-file(s)\tinput-file(s)\tshellcmd\tstatus\tplan\n")
    text = (REPOSITORY / "docs/results.md").read_text(encoding="utf-8")
    named = {name: entry | {"layers": [f"L{i + 1}" for i in range(layers)]} for name, entry in about.items()}
    report = study / "report"
    script(
        "html_report",
        {
            "jobs": str(jobs),
            "people": [],
            "information": main,
            "summary": summary,
            "networks": scored,
            "uncertainty": uncertainty,
            "confusions": confusions,
        },
        {
            "overview": str(report / "index.html"),
            "networks": str(report / "networks.html"),
            "map": str(report / "map.html"),
            "more": str(report / "more"),
            "pages": str(report / "pages.js"),
            "chart": str(report / "mutual_information.svg"),
            "static": str(report / "static"),
        },
        {
            "study": study.name,
            "networks": named,
            "metrics": METRICS,
            "choices": CHOICES,
            "sections": explained.sections(text),
            "differences": explained.differences(text),
            "captions": {},
            "further": {},
            "absent": {},
        },
    )


def sizes(report):
    """Bytes by kind of file, in all, and of what the first page loads."""
    kinds = {}
    for path in report.rglob("*"):
        if path.is_file():
            kinds[path.suffix] = kinds.get(path.suffix, 0) + path.stat().st_size
    first = [report / name for name in ("index.html", "mutual_information.svg", "static/report.css")]
    return kinds, sum(kinds.values()), sum(path.stat().st_size for path in first)


def shown_within(report, pages):
    """Seconds until each page is painted, and until it is loaded with its data, in chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in pages:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"file://{report / name}")
            page.wait_for_function("performance.getEntriesByType('paint').length")
            painted = page.evaluate("performance.getEntriesByType('paint').map((e) => e.startTime)")
            loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
            times = f"painted after {min(painted) / 1000:.2f} s, loaded after {loaded / 1000:.2f} s"
            print(f"{name}: {times}, {heap:.0f} MiB")
            page.close()
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--classes", type=int, default=47)
    parser.add_argument("--per-class", type=int, default=120)
    parser.add_argument("--made", type=int, help="networks that are made; the others are copies of these")
    parser.add_argument(
        "--until", type=float, default=float("inf"), help="stop to begin networks after so many seconds"
    )
    asked = parser.parse_args()
    began, study = time.monotonic(), asked.folder.resolve()
    textures = names_of(asked.classes, asked.per_class)
    networks = [f"network{i + 1}" for i in range(asked.networks)]
    if not (study / "report/textures/textures.js").exists():
        write_thumbnails(study / "report/textures", asked.classes, asked.per_class, *textures[:2])
        print(f"thumbnails: {time.monotonic() - began:.0f} s", flush=True)
    for seed, network in enumerate(networks):
        if (study / f"report/networks/{network}/map.js").exists():
            continue
        if time.monotonic() - began > asked.until:
            sys.exit(f"{network} and those behind it are still to be made")
        if asked.made and seed >= asked.made:
            copied(study, networks[seed % asked.made], network)
        else:
            network_pages(study, network, seed, asked.layers, textures)
    first_pages(study, networks, asked.layers)
    kinds, whole, first = sizes(study / "report")
    print(", ".join(f"{kind} {size / 1e6:.1f} MB" for kind, size in sorted(kinds.items())))
    print(f"in all {whole / 1e6:.0f} MB; the first page {first / 1e6:.2f} MB")
    shown_within(study / "report", ["index.html", "networks.html", "map.html", "networks/network1/L1.html"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--script"]:
        runpy.run_path(sys.argv[2], init_globals={"snakemake": Job(**json.load(sys.stdin))})
    else:
        main()
