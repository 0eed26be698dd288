"""A study as a Provenance Run Crate: what made which file, in words that other programs read.

References
----------
S. Leo et al., "Recording provenance of workflow runs with RO-Crate", PLOS ONE 19 (2024) e0309210;
https://w3id.org/ro/wfrun/provenance/0.5.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from texalign.version import __version__

#: The file that makes a folder a crate.
NAME = "ro-crate-metadata.json"

#: Profiles that the crate keeps to, and their names.
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}

#: RO-Crate's own words, and the one of these profiles that it has not.
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"resourceUsage": "https://w3id.org/ro/terms/workflow-run#resourceUsage"},
]

_FORMATS = {
    **{".csv": "text/csv", ".h5": "application/x-hdf5", ".html": "text/html", ".js": "text/javascript"},
    **{".json": "application/json", ".pdf": "application/pdf", ".png": "image/png", ".svg": "image/svg+xml"},
    **{".yaml": "application/yaml", ".py": "text/x-python"},
}
_UNITS = {"seconds": "https://qudt.org/vocab/unit/SEC", "memory": "https://qudt.org/vocab/unit/MegaBYTE"}
#: What snakemake's benchmark files call them.
_QUANTITIES = {"seconds": "s", "memory": "max_rss"}
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"


def describe(folder, study, rows, workflow, engine, pages=()):
    """Describe a study's files, the jobs that made them, and the workflow.

    Parameters
    ----------
    folder : str or Path
        The study's, and the root of the crate.
    study : str
        Its name.
    rows : list of dict
        See `texalign.report.provenance.listed`.
    workflow : sequence of str
        Files below `folder` that the workflow is written in. The first is its main file, the last holds the
        study's choices.
    engine : str
        Version of snakemake.
    pages : sequence of str
        Files and folders of the report, below `folder`.

    Returns
    -------
    dict
        What ``ro-crate-metadata.json`` holds. A file outside of `folder`, as one of weights, is named, and is
        no part of the crate.
    """
    graph = _Graph(folder)
    main, *_, choices = [graph.file(place) for place in workflow]
    jobs = {}
    for row in rows:
        if row["rule"]:
            jobs.setdefault((row["rule"], row["log"] or row["file"]), []).append(row)
    actions = [_job(graph, rule, made) for (rule, _), made in sorted(jobs.items())]
    tools = sorted({rule for rule, _ in jobs})
    graph.add(
        main,
        ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        name="texalign",
        version=__version__,
        programmingLanguage=_to(_SNAKEMAKE),
        hasPart=[_to(_tool(rule)) for rule in tools],
        step=[_to(_step(rule)) for rule in tools],
        conformsTo=_to("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
    )
    graph.add(
        _SNAKEMAKE,
        ["ComputerLanguage", "SoftwareApplication"],
        name="Snakemake",
        version=engine,
        url=_to("https://snakemake.readthedocs.io"),
        identifier=_to("https://doi.org/10.12688/f1000research.29032.3"),
    )
    _run(graph, main, choices, actions, [*(graph.file(row["file"]) for row in rows), *map(graph.file, pages)])
    _root(graph, study, main)
    return {"@context": CONTEXT, "@graph": list(graph.entities.values())}


class _Graph:
    """Entities by their identifiers."""

    def __init__(self, folder):
        self.folder, self.entities, self.parts, self.mentions = Path(folder), {}, [], []

    def add(self, key, kind, /, **properties):
        """Say something of an entity. A list of one is that one, and an empty value is left out."""
        single = {
            name: value[0] if isinstance(value, list) and len(value) == 1 else value
            for name, value in properties.items()
        }
        known = self.entities.setdefault(key, {"@id": key})
        known.update(
            {"@type": kind} | {name: value for name, value in single.items() if value not in ("", [])}
        )
        return key

    def file(self, place):
        """Name a file or a folder of the study."""
        path = self.folder / place
        identifier = quote(f"{place}/" if path.is_dir() else place)
        if identifier in self.entities:
            return identifier
        self.parts.append(identifier)
        if path.is_dir():
            return self.add(identifier, "Dataset", name=place)
        beside = Path(f"{path}.json")
        told = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        size, changed = str(path.stat().st_size), _time(_changed(path))
        return self.add(
            identifier,
            "File",
            name=place,
            contentSize=size,
            dateModified=changed,
            sha256=told.get("sha256", ""),
            encodingFormat=_FORMATS.get(path.suffix, "application/octet-stream"),
        )

    def input(self, name):
        """Name what a job read: a file of the study, or one that lies elsewhere or is gone."""
        path = Path(name)
        if self.folder in path.parents and path.exists():
            return self.file(path.relative_to(self.folder).as_posix())
        return self.add(f"#input/{quote(name)}", "CreativeWork", name=name)

    def value(self, kind, text, **properties):
        """Name a number or a text that belongs to jobs; the same one once."""
        key = hashlib.sha256(repr((kind, text)).encode()).hexdigest()[:16]
        return self.add(f"#{kind}/{key}", "PropertyValue", name=kind, value=text, **properties)


def _job(graph, rule, made):
    """Add what one job did."""
    first = made[0]
    key = quote(f"{rule}/{first['log'] or first['file']}")
    results = [graph.file(row["file"]) for row in made]
    known = [graph.input(name) for name in first["inputs"]]
    for kind in ("params", "versions", "weights"):
        known += [graph.value(kind, text) for text in dict.fromkeys(row[kind] for row in made) if text]
    ended = max(_changed(graph.folder / row["file"]) for row in made)
    times = {"endTime": _time(ended)}
    if first["seconds"] is not None:
        times["startTime"] = _time(ended - timedelta(seconds=first["seconds"]))
    used = [
        graph.value(kind, first[kind], propertyID=_QUANTITIES[kind], unitCode=_to(_UNITS[kind]))
        for kind in _UNITS
        if first[kind] is not None
    ]
    version = next((row["version"] for row in made if row["version"]), __version__)
    tool = graph.add(_tool(rule), "SoftwareSourceCode", name=rule, version=version)
    step = graph.add(_step(rule), "HowToStep", name=rule, workExample=_to(tool))
    if used:
        times["resourceUsage"] = [_to(one) for one in used]
    action = graph.add(
        f"#job/{key}",
        "CreateAction",
        name=f"{rule}: {first['file']}",
        description=f"a job of the rule {rule}",
        instrument=_to(tool),
        object=[_to(one) for one in dict.fromkeys(known)],
        result=[_to(one) for one in results],
        **times,
    )
    control = f"#control/{key}"
    graph.add(control, "ControlAction", name=f"run {rule}", instrument=_to(step), object=_to(action))
    return action, control, known, ended


def _run(graph, main, choices, actions, results):
    """Add the run of the workflow, and who started its jobs."""
    inputs = dict.fromkeys(one for _, _, known, _ in actions for one in known if one.startswith("#input/"))
    ended = {"endTime": _time(max(ended for *_, ended in actions))} if actions else {}
    run = graph.add(
        "#run",
        "CreateAction",
        name="a run of texalign",
        description="all jobs that made this study, some of them perhaps in earlier runs",
        instrument=_to(main),
        object=[_to(choices), *map(_to, inputs)],
        result=[_to(one) for one in dict.fromkeys(results)],
        **ended,
    )
    graph.add(
        "#organize",
        "OrganizeAction",
        name="Snakemake runs the jobs",
        instrument=_to(_SNAKEMAKE),
        result=_to(run),
        object=[_to(control) for _, control, _, _ in actions],
        **ended,
    )
    graph.mentions = [run, *(action for action, *_ in actions)]


def _root(graph, study, main):
    """Add the study itself, and the file that describes it."""
    for link, name in PROFILES.items():
        graph.add(link, "CreativeWork", name=name, version=link.rpartition("/")[2])
    graph.add(
        "./",
        "Dataset",
        name=f"texalign study: {study}",
        description="How networks organise textures, and whether as people see them: tables, matrices, pages "
        "of one study, with the job, the inputs and the parameters that made each.",
        datePublished=_time(datetime.now(UTC)),
        license="To be chosen by who publishes it; images and weights have their own.",
        conformsTo=[_to(link) for link in PROFILES],
        hasPart=[_to(part) for part in graph.parts],
        mainEntity=_to(main),
        mentions=[_to(one) for one in graph.mentions],
    )
    about = ["https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]
    graph.add(NAME, "CreativeWork", about=_to("./"), conformsTo=[_to(link) for link in about])


def _tool(rule):
    return f"#rule/{rule}"


def _step(rule):
    return f"#step/{rule}"


def _to(identifier):
    return {"@id": identifier}


def _changed(path):
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _time(moment):
    return moment.isoformat(timespec="seconds")
