import functools
import hashlib
import json
import sys
from pathlib import Path

# Every cluster job parses this file again: it imports nothing heavy and reads only small tables.

CHECKOUT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent.parent
sys.path.append(str(CHECKOUT / "workflow/scripts"))
CONFIG = " over ".join(str(path) for path in workflow.configfiles) or "config"


def beside(path):
    """A path of this repository, relative where possible: a checkout that is moved is not computed again."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


include: "validation.smk"
include: "study.smk"


# YAML takes an unquoted `on` for true. Where both spellings meet, one is config.yaml's gram.
if isinstance(config.get("clustering"), dict) and True in config["clustering"]:
    unquoted = config["clustering"].pop(True)
    if config["clustering"].get("on", "gram") == "gram":
        config["clustering"]["on"] = unquoted

check(config, "config", CONFIG)
models = read_models()
check_study()

STUDY = f"results/{config['study']}"
READOUT = config["readout"]
CLUSTERING = config["clustering"]["on"]
NETWORKS = config["networks"]
MEASURED = NETWORKS + config["controls"]


wildcard_constraints:
    network="[A-Za-z0-9][A-Za-z0-9_.-]*",
    layer=r"L\d+",
    readout="linear|relu",
    clustering="gram|rdm_rows|cosine",


def library(*modules, script):
    """The code that a rule's result depends on, as inputs: snakemake does not follow imports.

    The script is among them because snakemake itself looks at its date alone (see profiles/default).
    """
    files = [f"{script}.py", *(f"texalign/{module}.py" for module in modules)]
    return [local(beside(CHECKOUT / "workflow/scripts" / file)) for file in files]


def half_of_the_cores(wildcards):
    """Threads of a heavy job: two such jobs side by side keep the cores busier than one after the other.

    While one writes, or does what has no second thread, the other computes: a fifth faster on 2 cores.
    A profile's `set-threads` goes before it.
    """
    cores = workflow.resource_settings.cores
    return min(4, max(1, cores // 2)) if cores else 4


def layers_of(network):
    return [f"L{i}" for i, _ in enumerate(models[network]["layers"], start=1)]


def per_layer(pattern, networks):
    """The pattern for every layer of every network."""
    return [
        pattern.format(network=network, layer=layer) for network in networks for layer in layers_of(network)
    ]


def network_entry(entry):
    """What a network's numbers depend on: not its label, nor its family."""
    keys = ("architecture", "options", "weights", "sha256", "seed", "layers", "preprocess")
    return {key: entry[key] for key in keys if key in entry}


def published_entry(wildcards):
    """What tells which file of weights to fetch: a change of layers fetches nothing."""
    keys = ("architecture", "weights", "sha256")
    return {key: models[wildcards.network][key] for key in keys if key in models[wildcards.network]}


def table_entry(wildcards):
    """A network's row for `list_layers`, which needs no weights."""
    check_network(wildcards.network, "list_layers")
    return {key: models[wildcards.network][key] for key in ("architecture", "options", "layers")}


def weights_file(wildcards):
    """The file of a network's weights; none when they are untrained or come inside a package."""
    if is_published(models[wildcards.network]["weights"]):
        return f"resources/weights/{wildcards.network}.pth"
    weights = own_weights(wildcards.network)
    return local(weights) if weights else []


def network_names(networks):
    """Label, family and weights of networks, for tables and figures."""
    return {
        network: {key: models[network][key] for key in ("label", "family", "weights")} for network in networks
    }


def image_folder(wildcards):
    return "resources/dtd/images" if config["dataset"]["source"] == "dtd" else []


@functools.cache
def image_listing():
    """Changes when an image of a user's folder is added, removed or edited."""
    if config["dataset"]["source"] != "folder":
        return None
    from texalign.download import listing_fingerprint

    return listing_fingerprint(config["dataset"]["path"])


def origin(*networks):
    """Hash of all that networks' numbers come from, a parameter of every rule behind them.

    A job that is run again loses its old output first. When it then fails, snakemake finds what was
    made from that output still there, and takes the missing file for one that nobody needs: so each
    result has to know by itself that it is out of date.
    """
    entries = [network_entry(models[network]) for network in networks]
    source = [entries, *(config[key] for key in ("dataset", "image", "precision")), image_listing()]
    return hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:16]


def network_label(network):
    """A network's name for people; an untrained one says so."""
    label = models[network]["label"]
    return f"{label} (untrained)" if models[network]["weights"] == "untrained" else label


def given_configfiles():
    """The option that names the command line's config files again: config.yaml among them would win."""
    files = workflow.overwrite_configfiles
    return ["--configfile", *files] if files else []
