"""A path says what a file depends on: the coordinates of each file in ``results/<study>/``.

Each choice of the analysis that changes a file has a place in its path, so that variants share what
they have in common, and nothing overwrites anything.
"""

import os
from pathlib import Path

from texalign.errors import InputError

#: Kind of file → its place in the study's folder.
PLACES = {
    "images": "images.h5",
    "gram": "gram/{maps}/{network}.h5",
    "sliced": "sliced/{maps}/{network}.h5",
    "rdm": "rdm/{maps}/{representation}/{network}/{layer}.h5",
    "second_order": "rdm/{maps}/{representation}/second_order.h5",
    "clusters": "clusters/{maps}/{representation}/{clustering}/{network}.h5",
    "information": "information/{maps}/{representation}/{clustering}/{estimator}/{network}.csv",
    "by_k": "information/{maps}/{representation}/{clustering}/{estimator}/by_k/{network}.csv",
    "halves": "information/{maps}/{representation}/{clustering}/{estimator}/halves/{network}.csv",
    "labels": "classes/{maps}/{representation}/{clustering}/labels/{network}.csv",
    "confusions": "classes/{maps}/{representation}/{clustering}/confusions/{network}.csv",
    "classes": "classes/{maps}/{representation}/{clustering}/{network}.csv",
    "reliability_of_descriptions": "human/{network}/descriptions.csv",
    "reliability_of_rdm": "human/{network}/rdm.csv",
    "reliability_of_triplets": "human/{network}/triplets.csv",
    "agreement": "human/{reference}/{maps}/{representation}/{network}.csv",
    "exported": "exchange/{maps}/{representation}/{network}.h5",
    "decoded": "decoding/{maps}/{representation}/{network}.csv",
    "beside_gram": "representations/{maps}/{representation}/{clustering}/{estimator}/{network}.csv",
    "variant_information": "variants/{variant}/mutual_information.csv",
    "variant_networks": "variants/{variant}/brainscore_networks.csv",
    "variant_correlation": "variants/{variant}/brainscore_correlation.csv",
    "variant_uncertainty": "variants/{variant}/brainscore_uncertainty.csv",
    "variant_published": "variants/{variant}/published.csv",
    "activations": "synthesis/activations/{network}.h5",
    "exemplar": "synthesis/{texture}/exemplar.png",
    "synthetic": "synthesis/{texture}/{method}/{maker}/{layers}/seed{seed}.png",
    "trace": "synthesis/{texture}/{method}/{maker}/{layers}/seed{seed}.csv",
    "trained": "synthesis/{texture}/{method}/{maker}/{layers}/trained{trained}.safetensors",
    "training": "synthesis/{texture}/{method}/{maker}/{layers}/trained{trained}.csv",
    "sheet": "synthesis/{texture}/{method}/{maker}/{layers}/trained{trained}.png",
    "samples": "synthesis/{texture}/{method}/{maker}/{layers}/samples.zip",
    "sample_sheet": "synthesis/{texture}/{method}/{maker}/{layers}/samples.png",
    "content": "contents/{content}.png",
    "stylised": "synthesis/{texture}/{method}/{maker}/{layers}/{content}/seed{seed}.png",
    "stylised_trace": "synthesis/{texture}/{method}/{maker}/{layers}/{content}/seed{seed}.csv",
    "blend": "blends/{blend}/{maker}/{layers}/seed{seed}.zip",
    "blend_strip": "blends/{blend}/{maker}/{layers}/seed{seed}.png",
    "losses": "synthesis/{texture}/scores/{network}.csv",
    "distances": "synthesis/{texture}/scores.csv",
}

#: What the parts of a path look like.
CONSTRAINTS = {
    "network": "[A-Za-z0-9][A-Za-z0-9_.-]*",
    "maker": "[A-Za-z0-9][A-Za-z0-9_.-]*",
    "layer": r"L\d+",
    "maps": "[a-z0-9]+(-[a-z0-9]+)*",
    "representation": "[a-z0-9_]+",
    "clustering": "[a-z0-9_]+",
    "estimator": "[a-z0-9_]+",
    "reference": "[A-Za-z0-9][A-Za-z0-9_.-]*",
    "variant": "[A-Za-z0-9][A-Za-z0-9_.-]*",
    "texture": r"[^\W_][\w-]*",
    "method": "[a-z0-9_]+",
    "layers": r"all|L\d+(-L\d+)*",
    "seed": r"\d+",
    "trained": r"\d+",
    "content": r"[^\W_][\w-]*",
    "blend": r"[^\W_][\w-]*",
}


def check_writable(folder):
    """Refuse a study's folder, or the folder that it will be made in, where nothing can be written.

    Parameters
    ----------
    folder : str or Path
    """
    advice = "make it writable, or work in another folder"
    for there in (Path(folder), *Path(folder).parents):
        if there.is_symlink() and not os.path.exists(there):
            raise InputError(f"{there}: a link that leads nowhere; remove it, or correct it")
        if os.path.exists(there):
            if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
                raise InputError(f"{there}: no folder that can be written to; {advice}")
            return


#: Maps of networks, by their read-out: not what people say, nor images themselves (`texalign.plan.people`).
OF_NETWORKS = "(linear|relu)(-[a-z0-9]+)*"


class _Open(dict):
    """Leaves what is not known yet a wildcard."""

    def __missing__(self, key):
        return f"{{{key}}}"


def path(study, kind, **known):
    """Path of a kind of file, with what is not `known` left a wildcard.

    Parameters
    ----------
    study : str
        Name of the study.
    kind : str
        A key of `PLACES`, or a place of one's own.
    **known : str
        Coordinates.

    Examples
    --------
    >>> path("dtd", "gram", maps="linear")
    'results/dtd/gram/linear/{network}.h5'
    """
    return f"results/{study}/" + PLACES.get(kind, kind).format_map(_Open(known))


def of_job(study, folder, script, kind, suffix):
    """Path of what a job leaves beside its results: its log, its time; a folder a script.

    Parameters
    ----------
    study, folder, script : str
    kind : str
        The kind of file that the job makes, whose wildcards count; empty where it has none.
    suffix : str

    Examples
    --------
    >>> of_job("dtd", "logs", "compute_gram", "gram", ".log")
    'results/dtd/logs/compute_gram/{maps}/{network}.log'
    """
    place = PLACES.get(kind, kind).rpartition(".")[0]
    open_parts = [part for part in place.split("/") if "{" in part]
    return "/".join(["results", study, folder, script, *open_parts]) + suffix


def coordinates(config):
    """Where the files of a set of choices lie.

    Parameters
    ----------
    config : dict
        A study's config, or a variant laid over it.

    Returns
    -------
    dict of str to str
        maps, representation, clustering, estimator.
    """
    return {
        "maps": maps(config),
        "representation": config["representation"],
        "clustering": config["clustering"]["on"],
        "estimator": config["mutual_information"]["estimator"],
    }


def maps(config):
    """How feature maps are taken, as one part of a path; `taken` is its inverse.

    Examples
    --------
    >>> maps({"readout": "relu", "normalisation": "dtd", "bn_warmup": 0})
    'relu-dtd-warm0'
    >>> maps({"readout": "linear", "normalisation": "weights", "bn_warmup": None})
    'linear'
    """
    parts = [config["readout"]]
    if config["normalisation"] != "weights":
        parts.append(config["normalisation"])
    if config["bn_warmup"] is not None:
        parts.append(f"warm{config['bn_warmup']}")
    return "-".join(parts)


def taken(maps):
    """How feature maps are taken, from the part of a path.

    Returns
    -------
    dict
        ``readout``, ``normalisation``, ``bn_warmup``.
    """
    readout, *others = maps.split("-")
    seeds = [int(part.removeprefix("warm")) for part in others if part.startswith("warm")]
    how = [part for part in others if not part.startswith("warm")]
    return {
        "readout": readout,
        "normalisation": how[0] if how else "weights",
        "bn_warmup": seeds[0] if seeds else None,
    }
