import functools
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from snakemake.logging import logger
from snakemake.sourcecache import LocalGitFile

# Every cluster job parses this file again: it imports nothing heavy and reads only small tables.

# In a checkout the library lies beside the workflow; elsewhere it is installed by pip.
SOURCE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True), "../../src").resolve()
if SOURCE.is_dir():
    sys.path.insert(0, str(SOURCE))
# Jobs find the same library, and a network of one's own beside the study.
WAYS = [str(SOURCE)] if SOURCE.is_dir() else []
WAYS += [os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
os.environ.update(PYTHONPATH=os.pathsep.join(dict.fromkeys(filter(None, WAYS))))


def stop(reason):
    """End the run with one line, without the lines that snakemake puts around an error."""
    logger.error(f"texalign: {reason}")
    raise SystemExit(1)


try:
    from texalign.errors import InputError
except ImportError:
    stop(
        "the Python package texalign is not installed; install it by pip from where this workflow comes from"
    )
from texalign import brainscore, weights
from texalign.escaping import escape
from texalign.plan import code, content, dataset, explained, generators, networks, own_files, paths
from texalign.plan import pages, people, published, reading, recipes, synthesis, variants, written
from texalign.plan.config import merge_tables, quoted_on
from texalign.plan.labels import labels


def told(function, where=""):
    """Let a function's refusal end the run with its one line, behind where it was met."""

    @functools.wraps(function)
    def ask(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except InputError as error:
            stop(f"{where}{error}")

    return ask


if isinstance(workflow.current_basedir, LocalGitFile):
    # snakemake 9.27 compares the dates of scripts, and stumbles over one from a local git URL.
    LocalGitFile.join = functools.partialmethod(
        lambda self, path, join: join(self, str(getattr(path, "path", path))), join=LocalGitFile.join
    )

GIVEN = workflow.config_settings.config_args or []
CONFIG = " over ".join(["--config"] * bool(GIVEN) + [str(path) for path in workflow.configfiles]) or "config"


def found(path):
    """A file of the user's, relative to the working directory, or else one of this repository's; or None."""
    if not Path(path).exists() and not Path(path).is_absolute():
        try:
            ours = workflow.source_path(f"../../{path}")
        except Exception:
            ours = ""
        return ours if Path(ours).is_file() else None
    return path if Path(path).is_file() else None


def readable(path, key):
    """The same, which must be there."""
    return found(path) or stop(
        f"{CONFIG}: {key}: {path}: no such file; correct the path, which is relative to {Path.cwd()}"
    )


def scores_of(table):
    """A table of scores, with what a file beside it says of its columns."""
    path, beside = readable(table, "brainscore"), Path(table).with_suffix(".yaml")
    # Of the repository's table, only where the table is the repository's too.
    beside = found(str(beside)) if path != table or beside.exists() else None
    columns = beside and reading.checked(reading.read_yaml(beside), schema("scores"), str(beside))
    return brainscore.read(path, columns)


def schema(name):
    return workflow.source_path(f"../schemas/{name}.schema.yaml")


told(reading.check_given)(GIVEN, sys.argv)
for file in workflow.configfiles:
    told(reading.check_yaml)(file)
given = told(reading.checked)(quoted_on(config), schema("config"), CONFIG)
config.clear()
config.update(given)
TABLES = [config["models"]] if isinstance(config["models"], str) else config["models"]
MODEL_TABLES = ", ".join(TABLES)
tables = {table: told(reading.read_yaml)(readable(table, "models"), table) for table in TABLES}
models = told(merge_tables)(tables)
models = told(reading.checked)(models, schema("models"), MODEL_TABLES)
for network, entry in models.items():
    entry.setdefault("label", network)
    if weights.is_locked(entry):
        entry["lock"] = weights.lock_file(tables, network)
models, config["controls"] = networks.with_controls(models, config)
told(networks.check)(models, config, MODEL_TABLES, CONFIG)
told(dataset.check)(config, CONFIG)
told(own_files.check)(config, CONFIG)
OVERLAYS = [reading.check_yaml(path) for path in workflow.overwrite_configfiles]
if workflow.is_main_process and (unasked := networks.unasked_controls(OVERLAYS, config)):
    logger.info(f"texalign: {unasked}")
told(people.check)(config, models, CONFIG)
SCORE_TABLES = [config["brainscore"]] if isinstance(config["brainscore"], str) else config["brainscore"]
SCORES = {table: told(scores_of, f"{CONFIG}: brainscore: ")(table) for table in SCORE_TABLES}
SCORES = told(brainscore.join, f"{CONFIG}: brainscore: ")(SCORES)

told(variants.check)(config, CONFIG)
VARIANTS = variants.named(config)
SPECIFICATIONS = variants.specifications(config)
PUBLISHED = published.of_study(published.read(readable("resources/published.csv", "published")), config)

STUDY = f"results/{config['study']}"
if not workflow.output_settings.dryrun:
    told(paths.check_writable)(STUDY)
CHOICE = paths.coordinates(config)
NETWORKS = config["networks"]
SCORED = [network for network in NETWORKS if network in SCORES.values]
MEASURED = NETWORKS + config["controls"]
HASHES = content.Hashes(content.MEMORY)
DATASET = config["dataset"]
# What has RDMs without a network, by the side of the networks.
REFERENCES = config["human"]["references"]
ENTRIES = models | people.entries(config, lambda path: own_files.digest(path, HASHES))
BASELINES = config["baselines"]
COMPARED = [*MEASURED, *BASELINES, *people.with_rdms(config), "classes"]
SYNTHESIS = config["synthesis"]


wildcard_constraints:
    **paths.CONSTRAINTS,


def place(kind, **known):
    """Path of a kind of file of this study, with what is not known yet left a wildcard."""
    return paths.path(config["study"], kind, **known)


def chosen(kind, **known):
    """The same, under the study's own choices."""
    return place(kind, **CHOICE, **known)


def log_of(script, kind=""):
    """Where the jobs of a script write their logs."""
    return paths.of_job(config["study"], "logs", script, kind, ".log")


def times_of(script, kind=""):
    return paths.of_job(config["study"], "benchmarks", script, kind, ".tsv")


@functools.cache
def program(script, *modules):
    """Hash of a rule's script and of all of the library that it depends on."""
    return code.digest(Path(workflow.source_path(f"../scripts/{script}.py")).read_text(), *modules)


@functools.cache
def listing():
    """Changes when an image is added, removed or edited."""
    return dataset.fingerprint(DATASET, HASHES)


@functools.cache
def origin(names, stage):
    """Hash of all that the numbers of some networks come from before a stage."""
    return recipes.origin(config, ENTRIES, names, listing(), stage, program)


def origin_of(stage):
    return lambda wildcards: origin((wildcards.network,), stage)


def half_of_the_cores(wildcards):
    """Threads of a heavy job: two such jobs side by side keep the cores busier than one after the other.

    While one writes, or does what has no second thread, the other computes: a fifth faster on 2 cores.
    A profile's `set-threads` goes before it.
    """
    cores = workflow.resource_settings.cores
    return min(4, max(1, cores // 2)) if cores else 4


def rdms_of(names, wildcards=None):
    """The RDMs of all layers of some networks, under the choices of the wildcards, or else the study's."""
    choice = {key: (wildcards or CHOICE).get(key) for key in ("maps", "representation")}
    return [
        place("rdm", **choice, network=network, layer=layer)
        for network in names
        for layer in networks.layers(ENTRIES[network])
    ]


def found_for(kind, name, **known):
    """A kind of file of a network, or of what has RDMs without one."""
    choice = CHOICE if name in models else people.coordinates(config, name)
    return place(kind, **choice, network=name, **known)


def rows_file(wildcards):
    """Where the rows of a representation lie: quantiles have a pass and a file of their own."""
    kind = "sliced" if wildcards.representation == "sliced_wasserstein" else "gram"
    return place(kind, maps=wildcards.maps, network=wildcards.network)


def represented(kind, names):
    """A kind of table of some networks in each representation that is compared."""
    return [
        place(kind, **CHOICE | {"representation": representation}, network=network)
        for representation in config["representations"]["compare"]
        for network in names
    ]


def pairs_of(join):
    """Whose scores each network is given, where that is not by its key."""
    return brainscore.by_position(SCORED, SCORES.names) if join == "position" else {}


def choices_of(wildcards):
    """The choices of a variant."""
    if wildcards.variant not in VARIANTS:
        stop(f"{CONFIG}: variants: no {wildcards.variant}; there are: {', '.join(VARIANTS) or 'none'}")
    return VARIANTS[wildcards.variant]


def information_of(choices, names):
    """Tables of some networks' information under a set of choices; they share what they have in common."""
    kind = "information" if choices["k"] is None else "by_k"
    return [place(kind, **variants.coordinates(choices), network=network) for network in names]


def tables_by_k(names):
    """Tables of every specification, each once."""
    found = [information_of({**choices, "k": 1}, names) for choices in SPECIFICATIONS.values()]
    return list(dict.fromkeys(path for paths in found for path in paths))


def places_by_k(names):
    """Choices of each specification, and where its tables stand among those of all.

    No paths: within another workflow these get a prefix, as params do not.
    """
    place_of = {path: i for i, path in enumerate(tables_by_k(names))}
    return {
        name: (choices, [place_of[path] for path in information_of({**choices, "k": 1}, names)])
        for name, choices in SPECIFICATIONS.items()
    }


def weights_file(wildcards):
    """The file of a network's weights; none when they are untrained or come inside a package."""
    network = wildcards.get("network") or wildcards.maker
    source = models[network]["weights"]
    if weights.is_locked(models[network]):
        return [
            ancient(f"resources/weights/{network}.locked"),
            f"resources/weights/{network}.locked.sha256",
        ]
    # Known by what the table says of it, so that its date says nothing.
    if weights.is_published(source):
        return ancient(f"resources/weights/{network}.pth")
    own = weights.own_file(source)
    # Marked as local, it keeps its name where another workflow imports this one with a prefix.
    return ancient(local(own)) if own else []


def recipe_of(wildcards):
    return networks.recipe(models[wildcards.network])


def image_folder(wildcards):
    return "resources/dtd/images" if DATASET["source"] == "dtd" else []


def people_file(wildcards):
    """What people said: a file of one's own, or the one that is fetched."""
    own = REFERENCES[wildcards.network]["path"]
    return ancient(local(own)) if own else people.DESCRIPTIONS


def people_rdms(wildcards):
    """RDMs of a reference; none where it has choices only."""
    return rdms_of([wildcards.reference], people.coordinates(config, wildcards.reference))


def people_choices(wildcards):
    """Choices of a reference that has no RDM."""
    entry = REFERENCES[wildcards.reference]
    return [ancient(local(entry["path"]))] if entry["kind"] == "triplets" else []


def named_reference(wildcards):
    """What a reference is called where something is told of it."""
    return f"human: {wildcards.network}"


def own_labels(wildcards):
    """The file of labels that are decoded instead of the classes."""
    labels = config["decoding"]["labels"]
    return ancient(local(labels)) if labels else []


def official_splits(wildcards):
    """DTD's own splits, for its classes."""
    official = DATASET["source"] == "dtd" and not config["decoding"]["labels"]
    return "resources/dtd/labels" if official else []


def known_entry(wildcards):
    """A network's row for `list_layers`, which needs no weights."""
    told(networks.check_known)(models, wildcards.network, MODEL_TABLES, "list_layers")
    entry = models[wildcards.network]
    keys = ("architecture", "channels", "layers", "options", "prefix_tokens")
    return {key: entry[key] for key in keys if key in entry}
