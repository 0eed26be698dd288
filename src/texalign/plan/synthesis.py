"""What textures are synthesised: exemplars and their names, makers, layers, seeds, and what is made.

An exemplar is looked for only when it is needed: a missing one stops the target synthesis, and none
of the others.
"""

import difflib
import re
from pathlib import Path

from texalign.errors import InputError
from texalign.images import dtd
from texalign.plan import dataset as datasets
from texalign.plan import networks
from texalign.plan.paths import path

#: The maker of the method without a network.
BASELINE, BASELINE_LABEL = "portilla_simoncelli", "Portilla-Simoncelli"
#: The maker of the method dcgan, and of generators that others trained.
DCGAN, PUBLISHED = "dcgan", "published"
OTHER_LABELS = {BASELINE: BASELINE_LABEL, DCGAN: "DCGAN", PUBLISHED: "Published"}
#: Methods whose images are of chosen layers.
LAYERED = ("descent", "generator")
#: Methods that train a generator, which then makes any number of images.
TRAINED = ("generator", "dcgan")
#: Figures that are made where there are images of some methods.
FIGURES = {"loss": {"descent"}, "time": {"descent", "generator"}, "dcgan": {"dcgan"}}


# ------------------------------------------------------------------------------------- exemplars


def default_textures(dataset):
    """One texture: the paper's blotchy one of DTD, and otherwise the first of the image set."""
    if dataset["source"] == "folder":
        return datasets.images(dataset["path"])[:1]
    return {"dtd": ["blotchy/blotchy_0102.jpg"], "procedural": ["stripes/stripes_0000.png"]}[
        dataset["source"]
    ]


def lists(config):
    """Textures as they are listed: each list is made by one job.

    Returns
    -------
    list of list of str
        Files, or ``<class>/<file>`` of the image set.
    """
    textures = config["synthesis"]["textures"]
    textures = default_textures(config["dataset"]) if textures is None else textures
    return [[entry] if isinstance(entry, str) else entry for entry in textures]


def key(name, dataset):
    """Name a folder by a texture: blotchy/blotchy_0003.jpg is blotchy_0003, and any other path its last part.

    Examples
    --------
    >>> key("blotchy/blotchy_0003.jpg", {"source": "dtd", "path": None})
    'blotchy_0003'
    """
    parts = name.split("/")
    stem = Path(parts[-1]).stem
    if len(parts) == 2 and in_folder(name, dataset) and not stem.startswith(parts[0]):
        stem = f"{parts[0]}-{stem}"
    return re.sub(r"[^\w-]+|^[^\w]+", "-", stem).strip("-_")


def in_folder(name, dataset):
    """Whether a user's image set has this image; a name never leads out of its folder."""
    parts = name.split("/")
    inside = len(parts) == 2 and not {"", ".", ".."} & set(parts)
    return dataset["source"] == "folder" and inside and Path(dataset["path"], name).is_file()


def keys(config, where):
    """Textures by the names of their folders.

    Parameters
    ----------
    config : dict
    where : str
        What the config is called in errors.

    Returns
    -------
    dict of str to str
        Folder to name, in the order in which they are listed.
    """
    found = {}
    for name in (name for listed in lists(config) for name in listed):
        folder = key(name, config["dataset"])
        if not folder or folder in found:
            reason = (
                f"would have the same folder as {found[folder]!r}"
                if folder
                else "has no letter to name a folder by"
            )
            raise InputError(f"{where}: synthesis: textures: {name!r} {reason}; rename the file")
        found[folder] = name
    return found


def name_of(texture, textures, where):
    """Return the name that a folder stands for."""
    if texture not in textures:
        there = ", ".join(textures) or "none"
        raise InputError(f"{where}: synthesis: textures: no {texture}; there are: {there}")
    return textures[texture]


def exemplar_file(name, dataset, where):
    """Find the file of an exemplar.

    Returns
    -------
    str or None
        A file; ``"resources/dtd/images"`` where a downloaded image set will have it; None for a
        procedural texture.
    """
    if in_folder(name, dataset):
        return str(Path(dataset["path"], name))
    if Path(name).is_file():
        return name
    if dataset["source"] == "dtd" and re.fullmatch(r"([a-z-]+)/\1_\d{4}\.jpg", name):
        return dtd.FOLDER
    if dataset["source"] == "procedural" and re.fullmatch(r"(\w+)/\1_\d+\.png", name):
        return None
    there = datasets.images(dataset["path"]) if dataset["source"] == "folder" else []
    near = difflib.get_close_matches(name, there, n=3, cutoff=0.4)
    raise InputError(
        f"{where}: synthesis: textures: {name!r} is neither a file nor in the image set"
        + (f"; nearest: {', '.join(near)}" if near else "; give a file, or <class>/<file> of the image set")
    )


def of_set(name, dataset):
    """Whether an exemplar is an image of the set, so that it has a class."""
    return in_folder(name, dataset) or not Path(name).is_file()


def exemplar_recipe(name, config, hashes, where):
    """Collect what an exemplar depends on: a procedural set, or the content of a file."""
    dataset = config["dataset"]
    file = exemplar_file(name, dataset, where)
    source = None
    if file is None:
        source = {part: dataset[part] for part in ("classes", "per_class", "seed")}
    if file == dtd.FOLDER:
        content = datasets.fingerprint(dataset, hashes)
    else:
        content = hashes.of(file) if file and Path(file).is_file() else None
    hashes.save()
    return {"name": name, "size": config["synthesis"]["size"], "dataset": source, "content": content}


def class_dataset(name, config, listing):
    """Where other images of an exemplar's class are; None where it has no class."""
    known = config["synthesis"]["class_images"] and of_set(name, config["dataset"])
    return config["dataset"] | {"listing": listing} if known else None


# ---------------------------------------------------------------------------------- makers, layers


def makers(config):
    """List the methods and makers of images, as (method, maker): networks, and statistics without one."""
    chosen = config["synthesis"]["method"]
    if isinstance(chosen, str):
        chosen = ["networks", BASELINE] if chosen == "both" else [chosen]
    known = {
        "networks": [("descent", network) for network in networks_of(config)],
        BASELINE: [("statistics", BASELINE)],
        "generator": [("generator", network) for network in networks_of(config)],
        DCGAN: [("dcgan", DCGAN)],
    }
    return [maker for name in chosen for maker in known[name]]


def makers_of(config, texture):
    """List the same for a texture: with the generator that others trained, where it has one."""
    others = [("generator", PUBLISHED)] * (texture in config["synthesis"]["generator"]["published"])
    return makers(config) + others


def grid(config, textures):
    """List the rows of a grid, as (method, maker), and where each cell is among one seed's images.

    Returns
    -------
    rows : list of (str, str)
    cells : list of list of int or None
        A list a row; None where a texture has no such image.
    """
    rows = list(dict.fromkeys(maker for texture in textures for maker in makers_of(config, texture)))
    there = [(texture, maker) for texture in textures for maker in makers_of(config, texture)]
    place = {cell: number for number, cell in enumerate(there)}
    return rows, [[place.get((texture, maker)) for texture in textures] for maker in rows]


def shown(method, label):
    """Name a method's maker for people, where one network makes images by several methods."""
    return f"{label} (generator)" if method == "generator" else label


def networks_of(config):
    """List the networks that make images, or judge them."""
    return config["synthesis"]["networks"] or config["networks"]


def series_of(config, where):
    """List the networks whose images are made from the first layer, the first two, and so on."""
    series, known = config["synthesis"]["series"], networks_of(config)
    chosen = series if isinstance(series, list) else known * series
    for network in chosen:
        if network not in known:
            raise InputError(
                f"{where}: synthesis: series: {network!r} is not among its networks: {', '.join(known)}"
            )
    return chosen


def layers_part(layers):
    """Layers as one part of a path: ``all``, or their names; `layers_taken` is its inverse."""
    return "all" if layers is None else "-".join(layers)


def layers_taken(part):
    """Layers from the part of a path; None for all."""
    return None if part == "all" else part.split("-")


def series_parts(config, models, network):
    """Layers of a series, each as one part of a path; the last is that of the image of all layers."""
    chosen = config["synthesis"]["layers"]
    names = chosen or networks.layers(models[network])
    shorter = [layers_part(names[:end]) for end in range(1, len(names))]
    return [*shorter, layers_part(chosen)]


# ------------------------------------------------------------------------------------------ recipes


def loss(config, layers):
    """Collect what is matched."""
    synthesis = config["synthesis"]
    readout = synthesis["readout"] or ("relu" if synthesis["loss"] == "gatys" else config["readout"])
    return {
        "layers": layers,
        "loss": synthesis["loss"],
        "options": synthesis["loss_options"],
        "readout": readout,
    }


def recipe(config, entry, layers, seed):
    """Collect what an image depends on besides its exemplar and the program."""
    taken = (
        "optimizer",
        "iterations",
        "history",
        "learning_rate",
        "noise_mean",
        "noise_std",
        "start",
        "bounds",
        "restarts",
    )
    synthesis = config["synthesis"]
    return {
        "entry": networks.recipe(entry),
        "loss": loss(config, layers),
        "settings": {name: synthesis[name] for name in taken} | {"size": synthesis["output_size"]},
        "seed": seed,
        "precision": config["precision"],
    }


# ------------------------------------------------------------------------------------------ targets


def images(config, textures, kind="synthetic", seeds=None):
    """Paths of all images of all layers that are made of some textures; a series is shown, not scored."""
    chosen = layers_part(config["synthesis"]["layers"])
    return [
        path(
            config["study"],
            kind,
            texture=texture,
            method=method,
            maker=maker,
            layers=chosen if method in LAYERED and maker != PUBLISHED else "all",
            seed=seed,
        )
        for texture in textures
        for seed in (config["synthesis"]["seeds"] if seeds is None else seeds)
        for method, maker in makers_of(config, texture)
    ]


def targets(config, textures, series, where):
    """All that the target synthesis makes."""
    if not textures:
        raise InputError(
            f"{where}: synthesis: textures: none; name a file, or <class>/<file> of the image set"
        )
    study, methods = config["study"], {method for method, _ in makers(config)}
    figures = [f"seed{seed}" for seed in config["synthesis"]["seeds"]] + ["scores"]
    figures += [name for name, needed in FIGURES.items() if needed <= methods]
    figures += [f"series/{network}" for network in series]
    return [
        path(study, "synthesis/scores.csv"),
        *images(config, textures),
        *(path(study, f"figures/synthesis/{figure}.png") for figure in figures),
    ]
