import difflib
import math
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError
from texalign import InputError
from texalign.brainscore import read as read_scores

# What a study names and does not exist is told here, in one line, before any job runs.


def check_network(network, where):
    """Stop when the model table does not have a network."""
    if network not in models:
        near = difflib.get_close_matches(network, models, n=3, cutoff=0.4) or list(models)
        raise WorkflowError(
            f"{where}: {network!r} is not in {', '.join(tables())}; nearest: {', '.join(near)}"
        )


def own_weights(network):
    """The user's own file of weights; None where they are fetched, in a package, or untrained."""
    weights = models[network]["weights"]
    elsewhere = weights == "untrained" or weights.startswith("package:") or is_published(weights)
    return None if elsewhere else weights


def is_published(weights):
    """A URL, or a name in torchvision's enums."""
    return "://" in weights or re.fullmatch("[A-Z][A-Z0-9_]*", weights) is not None


def image_count():
    """How many images the study has; of a folder, at most."""
    dataset = config["dataset"]
    if dataset["source"] == "procedural":
        return (dataset["classes"] or 12) * (dataset["per_class"] or 20)
    cap = dataset["per_class"] or math.inf
    if dataset["source"] == "dtd":
        return 47 * min(120, cap)
    classes = filter(Path.is_dir, Path(dataset["path"]).glob("[!.]*"))
    return sum(min(cap, len(list(images.glob("[!.]*")))) for images in classes)


def check_study():
    """Stop when the study names what does not exist: networks, weights, images, scores, clusterings."""
    for key in ("networks", "controls"):
        for network in config[key]:
            check_network(network, f"{CONFIG}: {key}")
            weights = own_weights(network)
            if weights and not Path(weights).is_file():
                raise WorkflowError(
                    f"{', '.join(tables())}: {network}: weights: {weights}: no such file; put it there, or correct the path"
                )
    repeated = sorted(set(config["networks"]) & set(config["controls"]))
    if repeated:
        raise WorkflowError(
            f"{CONFIG}: {', '.join(repeated)} is in networks and in controls; keep one of them"
        )
    dataset = config["dataset"]
    if dataset["source"] == "folder" and not (dataset["path"] and Path(dataset["path"]).is_dir()):
        raise WorkflowError(
            f"{CONFIG}: dataset: path: {dataset['path']!r} is no folder; give the one that holds <class>/<image>"
        )
    k = config["clustering"]["k"]
    if k and max(k) > (n := image_count()):
        raise WorkflowError(
            f"{CONFIG}: clustering: k: {max(k)} clusters of {n} images are not possible; use 2 ... {n}"
        )
    try:
        read_scores(from_checkout(config["brainscore"], "brainscore"))
    except InputError as error:
        raise WorkflowError(f"{CONFIG}: brainscore: {error}")
