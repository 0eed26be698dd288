import copy
import difflib
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

# Every cluster job parses this file again: it imports nothing heavy and reads only small tables.


CHECKOUT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent.parent


def beside(path):
    """A path of this repository, relative where possible: a checkout that is moved is not computed again."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def check(data, schema, where):
    """Stop with one line that names file, key and value, or fill in the schema's defaults."""
    with open(CHECKOUT / f"workflow/schemas/{schema}.schema.yaml") as handle:
        rules = yaml.safe_load(handle)
    error = best_match(Draft202012Validator(rules).iter_errors(data))
    if error:
        key = ".".join(str(part) for part in error.absolute_path)
        keys = error.schema.get("properties") if error.validator == "additionalProperties" else None
        hint = f"; allowed: {', '.join(keys)}" if keys else ""
        raise WorkflowError(f"{where}: {key + ': ' if key else ''}{error.message}{hint}")
    fill_defaults(data, rules)


def fill_defaults(data, rules):
    for key, rule in rules.get("properties", {}).items():
        if "default" in rule:
            data.setdefault(key, copy.deepcopy(rule["default"]))
        if isinstance(data.get(key), dict):
            fill_defaults(data[key], rule)
    if isinstance(rules.get("additionalProperties"), dict):
        for entry in data.values():
            fill_defaults(entry, rules["additionalProperties"])


def from_checkout(path):
    """A path of the user's, relative to the working directory, or else one of this repository's."""
    if Path(path).exists():
        return str(path)
    if not (CHECKOUT / path).exists():
        raise WorkflowError(f"{path}: no such file; paths in the config are relative to {Path.cwd()}")
    return beside(CHECKOUT / path)


def read_models(tables):
    """The model table: later files add entries, and override single keys of earlier ones."""
    entries = {}
    for table in [tables] if isinstance(tables, str) else tables:
        with open(from_checkout(table)) as handle:
            read = yaml.safe_load(handle) or {}
        for network, entry in read.items():
            entries[network] = entries.get(network, {}) | (entry or {})
    check(entries, "models", f"model table {tables}")
    for network, entry in entries.items():
        entry.setdefault("label", network)
    return entries


def check_networks():
    """Stop when the study names a network that the model table does not have."""
    for key in ("networks", "controls"):
        for network in config[key]:
            if network not in models:
                near = difflib.get_close_matches(network, models, n=3, cutoff=0.4) or list(models)
                raise WorkflowError(
                    f"config: {key}: {network!r} is not in {config['models']}; nearest: {', '.join(near)}"
                )
    repeated = set(config["networks"]) & set(config["controls"])
    if repeated:
        raise WorkflowError(f"config: {', '.join(sorted(repeated))} is in networks and in controls; keep one")


def check_dataset():
    dataset = config["dataset"]
    if dataset["source"] == "folder" and not Path(dataset.get("path") or "").is_dir():
        raise WorkflowError(
            f"config: dataset: path: {dataset.get('path')!r} is no folder; give one that holds <class>/<image>"
        )


# YAML takes an unquoted `on` for true.
if isinstance(config.get("clustering"), dict):
    config["clustering"] = {
        "on" if key is True else key: value for key, value in config["clustering"].items()
    }

check(config, "config", "config")
models = read_models(config["models"])
check_networks()
check_dataset()

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


def library(*modules):
    """The library's files that a rule's numbers depend on: snakemake does not follow imports."""
    return [beside(CHECKOUT / "workflow/scripts/texalign" / f"{module}.py") for module in modules]


def layers_of(network):
    return [f"L{i}" for i, _ in enumerate(models[network]["layers"], start=1)]


def per_layer(pattern, networks):
    """The pattern for every layer of every network."""
    return [
        pattern.format(network=network, layer=layer) for network in networks for layer in layers_of(network)
    ]


def network_entry(wildcards):
    """What a network's numbers depend on: not its label, nor its family."""
    keys = ("architecture", "options", "weights", "sha256", "seed", "layers", "preprocess")
    return {key: models[wildcards.network][key] for key in keys if key in models[wildcards.network]}


def table_entry(wildcards):
    """A network's row for `layers`, which needs no weights."""
    if wildcards.network not in models:
        near = difflib.get_close_matches(wildcards.network, models, n=3, cutoff=0.4)
        raise WorkflowError(f"{wildcards.network} is not in {config['models']}; nearest: {', '.join(near)}")
    return {key: models[wildcards.network].get(key) for key in ("architecture", "options", "layers")}


def weights_file(wildcards):
    """The file of a network's weights; none when they are untrained or come inside a package."""
    weights = models[wildcards.network]["weights"]
    if weights == "untrained" or weights.startswith("package:"):
        return []
    if "://" in weights or weights.isupper():
        return f"resources/weights/{wildcards.network}.pth"
    return weights


def network_names(networks):
    """Label, family and weights of networks, for tables and figures."""
    return {
        network: {key: models[network][key] for key in ("label", "family", "weights")} for network in networks
    }


def image_folder(wildcards):
    return "resources/dtd/images" if config["dataset"]["source"] == "dtd" else []


def image_listing(wildcards):
    """Changes when an image of a user's folder is added, removed or edited."""
    if config["dataset"]["source"] != "folder":
        return None
    sys.path.append(str(CHECKOUT / "workflow/scripts"))
    from texalign.download import listing_fingerprint

    return listing_fingerprint(config["dataset"]["path"])


def network_label(network):
    """A network's name for people; an untrained one says so."""
    label = models[network]["label"]
    return f"{label} (untrained)" if models[network]["weights"] == "untrained" else label
