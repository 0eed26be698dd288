"""What people and images themselves say of a study's textures: references with RDMs, as networks have them.

A reference lies where a network of one layer or two would, so that the same rules grow its trees and measure
its information: under ``people/<kind>`` instead of how feature maps are taken and what is compared of them.
"""

from texalign.errors import InputError
from texalign.plan import paths

#: Where the descriptions of DTD's images are kept when they are fetched.
DESCRIPTIONS = "resources/human/image_descriptions.json"

#: Kind of reference → what its layers are.
LAYERS = {"descriptions": ("all words", "no class words"), "rdm": ("similarities",), "triplets": ()}

#: Images themselves, without a network.
BASELINES = {
    "pixels": "pixels",
    "colour_histogram": "colour histogram",
    "portilla_simoncelli": "Portilla-Simoncelli statistics",
}


def check(config, models, where):
    """Stop where a reference has the name of something else, or lacks a key.

    Parameters
    ----------
    config : dict
    models : dict
        The model table.
    where : str
        What the config is called in errors.
    """
    for name, entry in config["human"]["references"].items():
        key = f"{where}: human: references: {name}"
        if name in models or name in BASELINES or name == "classes":
            raise InputError(f"{key}: is the name of a network or a baseline; use another")
        if entry["kind"] != "descriptions" and not entry["path"]:
            raise InputError(f"{key}: path: missing; kind {entry['kind']} needs a file")
    if config["human"]["references"] and "classes" in models:
        raise InputError(f"{where}: models: classes is the name of the classes' own RDM; use another")


def with_rdms(config):
    """Names of the references that have RDMs: all but triplets."""
    return [name for name, entry in config["human"]["references"].items() if LAYERS[entry["kind"]]]


def file_of(config, name):
    """File of a reference: one's own, or the one that is fetched."""
    return config["human"]["references"][name]["path"] or DESCRIPTIONS


def entries(config, digest):
    """Describe references and baselines as the model table describes networks, for what a plan asks of these.

    Parameters
    ----------
    config : dict
    digest : callable
        From a file of one's own to its hash.

    Returns
    -------
    dict of str to dict
        ``architecture``, ``layers``, ``options`` and ``weights`` are what its numbers depend on.
    """
    found = {
        name: {
            "architecture": "images",
            "layers": ["images"],
            "weights": "images",
            "label": label[0].upper() + label[1:],
            "family": "images",
        }
        for name, label in BASELINES.items()
    }
    for name, entry in config["human"]["references"].items():
        found[name] = {
            "architecture": f"people, {entry['kind']}",
            "layers": list(LAYERS[entry["kind"]]),
            "options": recipe(config, name, digest),
            "weights": "people",
            "label": entry["label"] or name,
            "family": "people",
        }
    found["classes"] = {
        "architecture": "classes",
        "layers": [],
        "weights": "classes",
        "label": "Class identity",
        "family": "classes",
    }
    return found


def recipe(config, name, digest):
    """All that the RDMs of a reference depend on besides the textures."""
    entry = config["human"]["references"][name]
    own = {key: entry[key] for key in ("kind", "components", "similarity")}
    settings = {key: config["human"][key] for key in ("splits", "seed")}
    return own | settings | {"file": digest(entry["path"]) if entry["path"] else None}


def coordinates(config, name):
    """Where the files of a reference or a baseline lie.

    Returns
    -------
    dict of str to str
        maps, representation, clustering, estimator.
    """
    if name == "classes":
        place = {"maps": "classes", "representation": "identity"}
    elif name in BASELINES:
        place = {"maps": "images", "representation": "features"}
    else:
        place = {"maps": "people", "representation": config["human"]["references"][name]["kind"]}
    # People's rows have norm one, or there are none: Ward has their distances to work on.
    return {**place, "clustering": "gram", "estimator": paths.coordinates(config)["estimator"]}
