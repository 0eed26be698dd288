"""What is trained and sampled, what styles are put on, and what a pack of stimuli is made of."""

from pathlib import Path

from texalign.errors import InputError
from texalign.plan import networks, synthesis
from texalign.plan.paths import path

#: Methods of style transfer: by optimisation, and by a generator.
TRANSFER, STYLE = "transfer", "style"

#: A maker whose generators are trained here, in a path: those that others trained are converted.
OWN = f"(?!{synthesis.PUBLISHED}/)[A-Za-z0-9][A-Za-z0-9_.-]*"

#: What of the config a training takes.
TRAINING = ("iterations", "batch", "learning_rate", "size", "check_every", "patience")


def recipe(config, entry, layers):
    """Collect what a generator depends on besides its exemplar and the program."""
    chosen = config["synthesis"]["generator"]
    return {
        "entry": networks.recipe(entry),
        "loss": synthesis.loss(config, layers),
        "setting": chosen["setting"],
        "architecture": {name: chosen[name] for name in ("scales", "normalisation")},
        "training": {name: chosen[name] for name in TRAINING},
        "precision": config["precision"],
    }


def published_file(texture, config, where, section="generator"):
    """Find the file of a generator that others trained, of a texture or (section transfer) of a style."""
    files = config["synthesis"][section]["published"]
    if texture not in files:
        there = ", ".join(files) or "none"
        raise InputError(f"{where}: synthesis: {section}: published: no {texture}; there are: {there}")
    if not Path(files[texture]).is_file():
        raise InputError(
            f"{where}: synthesis: {section}: published: {texture}: {files[texture]}: no such file; "
            "correct the path"
        )
    return files[texture]


def check(config, textures, where):
    """Refuse what is published of no texture.

    Raises
    ------
    InputError
    """
    for section in ("generator", "transfer"):
        for texture in config["synthesis"][section]["published"]:
            if texture not in textures:
                there = ", ".join(textures) or "none"
                raise InputError(
                    f"{where}: synthesis: {section}: published: {texture!r} is the folder of no texture; "
                    f"there are: {there}"
                )


def _coordinates(config, texture):
    """Coordinates of what makes any number of samples of a texture."""
    chosen = synthesis.layers_part(config["synthesis"]["layers"])
    for method, maker in synthesis.makers_of(config, texture):
        if method in synthesis.TRAINED:
            layered = method in synthesis.LAYERED and maker != synthesis.PUBLISHED
            yield {"method": method, "maker": maker, "layers": chosen if layered else "all"}


def trained(config, textures):
    """Paths of all generators of textures."""
    seed = config["synthesis"]["generator"]["seed"]
    return [
        path(config["study"], "trained", texture=texture, trained=seed, **where)
        for texture in textures
        for where in _coordinates(config, texture)
    ]


def trainings(config, textures):
    """Paths of how all generators learned that were trained here: method to list of str."""
    seed, found = config["synthesis"]["generator"]["seed"], {method: [] for method in synthesis.TRAINED}
    for texture in textures:
        for where in _coordinates(config, texture):
            if where["maker"] != synthesis.PUBLISHED:
                there = path(config["study"], "training", texture=texture, trained=seed, **where)
                found[where["method"]].append(there)
    return found


def sampled(config, textures):
    """Paths of files with many samples, one a generator."""
    return [
        path(config["study"], "samples", texture=texture, **where)
        for texture in textures
        for where in _coordinates(config, texture)
    ]


def asked(config, textures, where, target):
    """Textures, of which there must be one, by a method that trains, for a target that needs these.

    Raises
    ------
    InputError
    """
    found = sampled(config, textures)
    if not found:
        raise InputError(
            f"{where}: synthesis: method: {config['synthesis']['method']!r} trains no generator, which "
            f"{target} needs; use generator, dcgan, or a list of methods with one of them"
        )
    return found


def samples(config):
    """Count the samples of a generator: as many as there are seeds, unless told."""
    return config["synthesis"]["stimuli"]["samples"] or len(config["synthesis"]["seeds"])


def stimuli(config, textures):
    """List what a pack is made of.

    Returns
    -------
    dict of str to list of str
        ``images``, each made by a job of its own; ``samples``, many in one file of each generator.
    """
    parts = [f"/{method}/" for method in synthesis.TRAINED]
    images = [file for file in synthesis.images(config, textures) if not any(part in file for part in parts)]
    return {"images": images, "samples": sampled(config, textures)}


def classes(config, textures):
    """Class of each texture, by its folder's name; empty where it is not of the image set."""
    return {
        texture: name.partition("/")[0] if synthesis.of_set(name, config["dataset"]) else ""
        for texture, name in textures.items()
    }


# ----------------------------------------------------------------------------------- style transfer


def contents(config, where):
    """Images whose content is kept, and those that style generators learn from, by their names in paths.

    Raises
    ------
    InputError
        A file is not there, or two would have the same name.
    """
    chosen, found = config["synthesis"]["transfer"], {}
    for key in ("contents", "pool"):
        for file in chosen[key]:
            name = synthesis.key(file, {"source": "none"})
            told = f"{where}: synthesis: transfer: {key}: {file!r}"
            if not Path(file).is_file():
                raise InputError(f"{told}: no such file; correct the path")
            if not name or found.get(name, file) != file:
                raise InputError(f"{told} would be called {name!r} as another; rename the file")
            found[name] = file
    return found


def content_recipe(file, config, hashes):
    """Collect what a content image depends on, as an exemplar's recipe does."""
    content = hashes.of(file)
    hashes.save()
    size = config["synthesis"]["transfer"]["size"]
    return {"name": file, "size": size, "dataset": None, "content": content}


def of_key(config, known, key):
    """Names of the contents, or of the pool: the contents where there is none."""
    chosen = config["synthesis"]["transfer"]
    files = chosen[key] or chosen["contents"]
    return [name for name, file in known.items() if file in files]


def style_recipe(config, entry, layers):
    """Collect what a style's generator depends on besides its exemplar, its contents and the program."""
    told = recipe(config, entry, layers)
    chosen = config["synthesis"]["transfer"]
    of_content = {"content_weight": chosen["weight"], "content_layer": chosen["layer"]}
    return told | {"training": told["training"] | of_content}


def transfer_recipe(config, entry, layers, seed):
    """Collect what an image depends on that is optimised, besides exemplar, content and the program."""
    told, chosen = synthesis.recipe(config, entry, layers, seed), config["synthesis"]["transfer"]
    told["settings"] = {key: value for key, value in told["settings"].items() if key != "size"}
    return told | {"content": {"content_weight": chosen["weight"], "content_layer": chosen["layer"]}}


def stylists(config, texture):
    """List what puts a style on contents, as (method, maker)."""
    chosen = config["synthesis"]["transfer"]
    makers = [
        ({"networks": TRANSFER, "generator": STYLE}[how], network)
        for how in chosen["method"]
        for network in synthesis.networks_of(config)
    ]
    return makers + [(STYLE, synthesis.PUBLISHED)] * (texture in chosen["published"])


def stylised(config, textures, names, seed):
    """Paths of one seed's stylised images: texture by texture, maker by maker, content by content."""
    chosen = synthesis.layers_part(config["synthesis"]["layers"])
    return [
        path(
            config["study"],
            "stylised",
            texture=texture,
            method=method,
            maker=maker,
            layers="all" if maker == synthesis.PUBLISHED else chosen,
            content=content,
            seed=seed,
        )
        for texture in textures
        for method, maker in stylists(config, texture)
        for content in names
    ]


# ------------------------------------------------------------------------------------------- blends

#: The end of a blend that is not a texture: phases at random, the spectrum of the other end.
NOISE = "noise"


def check_blends(config, textures, where):
    """Refuse a blend between what is no texture of the config.

    Raises
    ------
    InputError
    """
    for name, blend in config["synthesis"]["blends"].items():
        for key, allowed in (("from", [NOISE, *textures]), ("to", list(textures))):
            if blend[key] not in allowed:
                raise InputError(
                    f"{where}: synthesis: blends: {name}: {key}: {blend[key]!r} is the folder of no texture; "
                    f"allowed: {', '.join(allowed) or 'none'}"
                )


def blend_of(config, name, where):
    """Find a blend by its name."""
    blends = config["synthesis"]["blends"]
    if name not in blends:
        raise InputError(f"{where}: synthesis: blends: no {name}; there are: {', '.join(blends) or 'none'}")
    return blends[name]


def blend_ends(blend):
    """Textures whose exemplars a blend needs: both ends, or the second alone where the first is noise."""
    return [end for end in (blend["from"], blend["to"]) if end != NOISE]


def blended(config):
    """Paths of all blends."""
    chosen = synthesis.layers_part(config["synthesis"]["layers"])
    return [
        path(config["study"], "blend_strip", blend=name, maker=network, layers=chosen, seed=seed)
        for name in config["synthesis"]["blends"]
        for network in synthesis.networks_of(config)
        for seed in config["synthesis"]["seeds"]
    ]
