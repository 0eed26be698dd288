import difflib
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

# What textures are synthesised, and what they are called. An exemplar is looked for only when it is
# needed: a missing one stops the target synthesis, and none of the others.

SYNTHESIS = config["synthesis"]


def default_textures():
    """One texture: the paper's blotchy one of DTD, and otherwise the first of the image set."""
    dataset = config["dataset"]
    if dataset["source"] == "folder":
        suffixes = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
        files = (
            file for file in Path(dataset["path"]).glob("[!.]*/[!.]*") if file.suffix.lower() in suffixes
        )
        return [f"{file.parent.name}/{file.name}" for file in [min(files, default=None)] if file]
    return {"dtd": ["blotchy/blotchy_0102.jpg"], "procedural": ["stripes/stripes_0000.png"]}[
        dataset["source"]
    ]


def texture_key(name):
    """A name for folders: blotchy/blotchy_0003.jpg is blotchy_0003, and any other path its last part."""
    parts = name.split("/")
    key = Path(parts[-1]).stem
    if len(parts) == 2 and is_in_folder(name) and not key.startswith(parts[0]):
        key = f"{parts[0]}-{key}"
    return re.sub(r"[^\w-]+|^[^\w]+", "-", key).strip("-_")


def is_in_folder(name):
    """Whether a user's image set has this image; a name never leads out of its folder."""
    path, parts = config["dataset"]["path"], name.split("/")
    inside = len(parts) == 2 and not {"", ".", ".."} & set(parts)
    return config["dataset"]["source"] == "folder" and inside and Path(path, name).is_file()


def texture_keys(names):
    keys = {}
    for name in names:
        key = texture_key(name)
        if not key or key in keys:
            reason = (
                f"would have the same folder as {keys[key]!r}" if key else "has no letter to name a folder by"
            )
            raise WorkflowError(f"{CONFIG}: synthesis: textures: {name!r} {reason}; rename the file")
        keys[key] = name
    return keys


LISTED = default_textures() if SYNTHESIS["textures"] is None else SYNTHESIS["textures"]
LISTED = [[entry] if isinstance(entry, str) else entry for entry in LISTED]
TEXTURES = texture_keys(name for together in LISTED for name in together)
# The first of those that are made in one job -> all of them.
BATCHES = {keys[0]: keys for keys in ([*map(texture_key, names)] for names in LISTED) if len(keys) > 1}
BATCHED = "|".join(key for keys in BATCHES.values() for key in keys)


wildcard_constraints:
    texture=r"[^\W_][\w-]*",
    # Nothing for seed 0 and all layers, so that names stay when seeds and series are added.
    run=r"(seed[1-9]\d*/)?(to_L\d+/)?",


def texture_name(wildcards):
    if wildcards.texture not in TEXTURES:
        raise WorkflowError(
            f"{CONFIG}: synthesis: textures: no {wildcards.texture}; there are: {', '.join(TEXTURES) or 'none'}"
        )
    return TEXTURES[wildcards.texture]


def exemplar_file(wildcards):
    """The exemplar's file, or the folder in which a downloaded image set will have it."""
    name, dataset = texture_name(wildcards), config["dataset"]
    if is_in_folder(name):
        return local(str(Path(dataset["path"], name)))
    if Path(name).is_file():
        return local(name)
    if dataset["source"] == "dtd" and re.fullmatch(r"([a-z-]+)/\1_\d{4}\.jpg", name):
        return "resources/dtd/images"
    if dataset["source"] == "procedural" and re.fullmatch(r"(\w+)/\1_\d+\.png", name):
        return []
    folder = Path(dataset["path"] or "") if dataset["source"] == "folder" else None
    names = [f"{file.parent.name}/{file.name}" for file in sorted(folder.glob("*/*"))] if folder else []
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    raise WorkflowError(
        f"{CONFIG}: synthesis: textures: {name!r} is neither a file nor in the image set"
        + (f"; nearest: {', '.join(near)}" if near else "; give a file, or <class>/<file> of the image set")
    )


def is_of_set(wildcards):
    """Whether the exemplar is an image of the set, so that it has a class."""
    name = texture_name(wildcards)
    return is_in_folder(name) or not Path(name).is_file()


def exemplar_dataset(wildcards):
    """What a procedural exemplar is made from; other exemplars are files."""
    keys = ("classes", "per_class", "seed")
    return {key: config["dataset"][key] for key in keys} if exemplar_file(wildcards) == [] else None


def class_dataset(wildcards):
    """Where other images of the exemplar's class are; none where it has no class."""
    known = SYNTHESIS["class_images"] and is_of_set(wildcards)
    return config["dataset"] | {"listing": image_listing()} if known else None


def class_folder(wildcards):
    return image_folder(wildcards) if class_dataset(wildcards) else []


def together(wildcards):
    """The textures of one job."""
    return BATCHES.get(wildcards.texture, [wildcards.texture])


def exemplars_together(wildcards):
    return expand(f"{STUDY}/synthesis/{{texture}}/exemplar.png", texture=together(wildcards))


def names_together(wildcards):
    return [TEXTURES[texture] for texture in together(wildcards)]
