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


# ------------------------------------------------------------------------------------------ synthesis

TEXTURES = told(synthesis.keys)(config, CONFIG)
# Each list of textures is made by one job.
LISTS = [[synthesis.key(name, DATASET) for name in names] for names in synthesis.lists(config)]
MAKERS = synthesis.makers(config)
SYNTHESISERS = synthesis.networks_of(config)
for network in SYNTHESISERS:
    told(networks.check_known)(models, network, MODEL_TABLES, f"{CONFIG}: synthesis: networks")
SERIES = told(synthesis.series_of)(config, CONFIG)
SYNTHESIS_DEVICE = SYNTHESIS["device"] or config["device"]
LOSS = f"texalign.synthesis.losses.{SYNTHESIS['loss']}"
told(generators.check)(config, TEXTURES, CONFIG)
told(generators.check_blends)(config, TEXTURES, CONFIG)
TRAINED = SYNTHESIS["generator"]["seed"]
STIMULI = generators.stimuli(config, TEXTURES)
CONTENTS = told(generators.contents)(config, CONFIG)
STYLED, POOL = (generators.of_key(config, CONTENTS, key) for key in ("contents", "pool"))


# The same names, colours and markers in all figures. Escaped, as a report shows the params of its rules.
STUDY_NETWORKS = {
    network: names | {"control": network in config["controls"]}
    for network, names in networks.names(models, dict.fromkeys([*MEASURED, *SYNTHESISERS])).items()
}
LABELS = escape(labels(STUDY_NETWORKS) | synthesis.OTHER_LABELS)
GRID, CELLS = synthesis.grid(config, TEXTURES)
GRID_LABELS = [synthesis.shown(method, LABELS[maker]) for method, maker in GRID]

# Installed later, it makes the column of scores that is empty without it.
HAS_PLENOPTIC = importlib.util.find_spec("plenoptic") is not None
EVERY_MAKER = dict.fromkeys([*(maker for _, maker in GRID), *SYNTHESISERS])
# A network's generator is a maker of its own.
SCORE_LABELS = {maker: LABELS[maker] for maker in EVERY_MAKER} | {
    f"generator of {maker}": label
    for (method, maker), label in zip(GRID, GRID_LABELS)
    if method == "generator"
}
# Each row of the figure of style transfer: its texture, and what it is made by.
STYLE_ROWS = [
    (texture, synthesis.shown("generator" if method == generators.STYLE else method, LABELS[maker]))
    for texture in TEXTURES
    for method, maker in generators.stylists(config, texture)
]
TRAININGS = generators.trainings(config, TEXTURES)
TRACES = [trace for trace in synthesis.images(config, TEXTURES, "trace") if "/descent/" in trace]


def named(wildcards):
    """The texture that a folder stands for."""
    return told(synthesis.name_of)(wildcards.texture, TEXTURES, CONFIG)


def exemplar_file(wildcards):
    file = told(synthesis.exemplar_file)(named(wildcards), DATASET, CONFIG)
    if file is None:
        return []
    return file if file.startswith("resources/") else ancient(local(file))


def exemplar_recipe(wildcards):
    return told(synthesis.exemplar_recipe)(named(wildcards), config, HASHES, CONFIG)


def class_dataset(wildcards):
    return synthesis.class_dataset(named(wildcards), config, listing())


def class_folder(wildcards):
    return image_folder(wildcards) if class_dataset(wildcards) else []


def activations_file(wildcards):
    network = wildcards.get("network") or wildcards.maker
    return place("activations", network=network) if SYNTHESIS["gatys_network"] else []


def synthesis_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return synthesis.recipe(config, models[wildcards.maker], layers, int(wildcards.seed))


def generator_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.recipe(config, models[wildcards.maker], layers)


def published_file(wildcards):
    return ancient(local(told(generators.published_file)(wildcards.texture, config, CONFIG)))


def published_style(wildcards):
    return ancient(local(told(generators.published_file)(wildcards.texture, config, CONFIG, "transfer")))


def judge_recipe(wildcards):
    """What gives the samples of a generator their losses; nothing where no network made it."""
    return generator_recipe(wildcards) if wildcards.maker in models else None


def judge_weights(wildcards):
    return weights_file(wildcards) if wildcards.maker in models else []


def judge_activations(wildcards):
    return activations_file(wildcards) if wildcards.maker in models else []


def content_named(wildcards):
    if wildcards.content not in CONTENTS:
        there = ", ".join(CONTENTS) or "none"
        stop(f"{CONFIG}: synthesis: transfer: contents: no {wildcards.content}; there are: {there}")
    return CONTENTS[wildcards.content]


def content_file(wildcards):
    return ancient(local(content_named(wildcards)))


def content_recipe(wildcards):
    return generators.content_recipe(content_named(wildcards), config, HASHES)


def style_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.style_recipe(config, models[wildcards.maker], layers)


def transfer_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.transfer_recipe(config, models[wildcards.maker], layers, int(wildcards.seed))


def stylised_images(wildcards):
    return generators.stylised(config, TEXTURES, STYLED, int(wildcards.seed))


def blend_of(wildcards):
    return told(generators.blend_of)(config, wildcards.blend, CONFIG)


def blend_exemplars(wildcards):
    return [place("exemplar", texture=texture) for texture in generators.blend_ends(blend_of(wildcards))]


def blends_targets(wildcards):
    if not SYNTHESIS["blends"]:
        stop(f"{CONFIG}: synthesis: blends: none; name one, as {{ours: {{from: noise, to: <texture>}}}}")
    return generators.blended(config)


def generators_targets(wildcards):
    told(generators.asked)(config, TEXTURES, CONFIG, "generators")
    return generators.trained(config, TEXTURES)


def samples_targets(wildcards):
    return told(generators.asked)(config, TEXTURES, CONFIG, "samples")


def transfer_targets(wildcards):
    if not SYNTHESIS["transfer"]["contents"]:
        stop(f"{CONFIG}: synthesis: transfer: contents: none; name an image whose content is kept")
    return [f"{STUDY}/figures/synthesis/transfer/seed{seed}.png" for seed in SYNTHESIS["seeds"]]


def images_of(wildcards):
    return synthesis.images(config, [wildcards.texture])


def grid_images(wildcards):
    """One seed's images, texture by texture."""
    return synthesis.images(config, TEXTURES, seeds=[int(wildcards.seed)])


def series_images(wildcards):
    """The images of a series, texture by texture, from the first layer to all."""
    parts = synthesis.series_parts(config, models, wildcards.network)
    seed, maker = SYNTHESIS["seeds"][0], wildcards.network
    return [
        place("synthetic", texture=texture, method="descent", maker=maker, layers=part, seed=seed)
        for texture in TEXTURES
        for part in parts
    ]


def series_labels(wildcards):
    layers = SYNTHESIS["layers"] or networks.layers(models[wildcards.network])
    return [layer if layer == layers[0] else f"{layers[0]} to {layer}" for layer in layers]


#: What of the config a report tells.
REPORTED = ("dataset", "clustering", "readout", "normalisation", "bn_warmup", "representation", "precision")


def results_page():
    """The pages of the documentation that explain every column."""
    there = [workflow.source_path(f"../../docs/{page}.md") for page in ("results", "human", "synthesis")]
    return "\n".join(Path(page).read_text(encoding="utf-8") for page in there)


def captions():
    """What snakemake's report says of figures, for the other report too."""
    texts = {name: Path(workflow.source_path(f"../report/{name}.rst")) for name in pages.captions()}
    return {name: pages.caption(path.read_text(encoding="utf-8"), config) for name, path in texts.items()}


def definition():
    """The files that the workflow is written in, by their place in a study's folder; its main file first."""
    texts = {"Snakefile": workflow.source_path("../Snakefile")}
    for rules_file in written.included(Path(texts["Snakefile"]).read_text(encoding="utf-8")):
        texts[rules_file] = workflow.source_path(f"../{rules_file}")
        for script in written.scripts(Path(texts[rules_file]).read_text(encoding="utf-8")):
            texts[script] = workflow.source_path(f"../{script}")
    return {f"workflow/{name}": str(path) for name, path in texts.items()}


def columns(*names):
    """What some columns of tables mean, for pages; escaped, as a report shows the params of its rules."""
    meanings = explained.columns(results_page())
    return escape({name: meanings[name] for name in names})


def names_in_places():
    """What the study has: files of networks, textures and so on that it had once stay out of its report."""
    chosen = {
        "network": [*MEASURED, *SERIES],
        "variant": VARIANTS,
        "texture": TEXTURES,
        "blend": SYNTHESIS["blends"],
    }
    makers, seeds = [*SYNTHESISERS, *synthesis.OTHER_LABELS], list(map(str, SYNTHESIS["seeds"]))
    return chosen | {"maker": makers, "seed": seeds, "trained": [str(TRAINED)]}


def further_files(wildcards):
    """What a report shows beyond what it needs: all that was made."""
    return pages.files(STUDY, names_in_places())


def not_made():
    """What a report has no page of, and the command that makes it."""
    return {what: f"snakemake {target}" for what, target in pages.absent(STUDY, names_in_places()).items()}


def synthesis_targets(wildcards):
    return told(synthesis.targets)(config, TEXTURES, SERIES, CONFIG)


def synthesis_so_far(wildcards):
    """What a report shows of it: all, once it was asked for."""
    made = TEXTURES and Path(f"{STUDY}/synthesis/scores.csv").exists()
    return synthesis_targets(wildcards) if made else []


def alike(first, count):
    """Name the rules that a loop makes, and let what a profile says of the first hold for all.

    Called before there is a rule: with the first, snakemake reads for good what the profile says.
    """
    names = [first, *(f"{first}_{number}" for number in range(1, count))]
    for chosen in (
        workflow.resource_settings.overwrite_resources,
        workflow.resource_settings.overwrite_threads,
        workflow.group_settings.overwrite_groups,
    ):
        for name in names if first in chosen else []:
            if isinstance(chosen[first], Mapping):  # resources, each by itself
                said = chosen[first].copy()
                said.update(chosen.get(name, {}))
                chosen[name] = said
            else:
                chosen.setdefault(name, chosen[first])
    return names


LIST_RULES = alike("synthesize_textures", len(LISTS))


def given_configfiles():
    """The option that names the command line's config files again: config.yaml among them would win."""
    files = workflow.overwrite_configfiles
    return ["--configfile", *files] if files else []
