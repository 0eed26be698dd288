"""Stimulus packs: images with a table of what they are, and trials, in one zip for an experiment."""

import csv
import hashlib
import io
import itertools
import random
import zipfile

import numpy as np
from PIL import Image

from texalign import pictures
from texalign.errors import InputError
from texalign.files import whole
from texalign.plan.synthesis import shown
from texalign.synthesis import luminance, scramble

#: Columns of the manifest. PsychoPy makes a variable of each, so none is a word of Python's own, as
#: `class` is.
MANIFEST = (
    *("file", "texture", "texture_class", "method", "maker", "seed", "loss"),
    *("mean_luminance", "rms_contrast", "sha256"),
)
#: Columns of the trials.
TRIALS = (
    *("trial", "texture", "method", "maker", "odd_method", "odd_maker"),
    *("image_1", "image_2", "image_3", "odd_position"),
)
#: Images a trial shows.
SHOWN = 3

#: Of every file in the zip: the same images make the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


#: Methods of a pack besides those of the synthesis: the exemplar itself, and the control.
PHOTOGRAPH, CONTROL = "photograph", "phase_scrambled"

README = """\
Stimuli, made by texalign.

images/       PNG, 8 bits, RGB
stimuli.csv   one row an image: what it is, and what it shows. PsychoPy and pandas read it as it is.
trials.csv    odd-one-out: two images of one kind and one of another; odd_position counts from 1.
              Each comparison has its odd image equally often at each position. Drawn with seed {seed}.

Luminance is relative to the screen's white, in linear light, where the screen's gamma is {gamma}.
rms_contrast is the standard deviation of the luminance over its mean.
Matched to: mean luminance {mean}, RMS contrast {contrast}.
phase_scrambled images have the exemplar's spectrum and colours, and random phases.
loss is that of the image under its maker; empty where it has none.
"""


def described(image, method, maker="", seed=None, loss=None):
    """Pair what an image is with it."""
    return {"method": method, "maker": maker, "seed": seed, "loss": loss}, image


def scrambled(image, count):
    """Make a number of phase-scrambled images, described."""
    return [described(scramble.phase_scrambled(image, seed), CONTROL, seed=seed) for seed in range(count)]


def made(path):
    """Read a synthetic image with what its file says of it."""
    about = pictures.read_metadata(path)
    loss = about.get("loss_as_shown", about.get("loss"))
    return described(pictures.decode(path, None), about["method"], about["maker"], about["seed"], loss)


def samples(path):
    """Read all samples of a generator: ``.../<method>/<maker>/<layers>/samples.zip``."""
    method, maker = path.split("/")[-4:-2]
    with zipfile.ZipFile(path) as archive:
        rows = csv.DictReader(io.TextIOWrapper(archive.open("samples.csv"), "utf-8"))
        return [
            described(
                np.asarray(Image.open(archive.open(row["file"])).convert("RGB")),
                method,
                maker,
                int(row["seed"]),
                float(row["loss"]) if row["loss"] else None,
            )
            for row in rows
        ]


def kinds(files, labels, most=8):
    """Sort the images of a pack for a picture of it.

    Parameters
    ----------
    files : dict of str to bytes
        As `assemble` gives them.
    labels : dict of str to str
        What makers are called.
    most : int
        Images of a kind at most.

    Returns
    -------
    list of (str, list of array)
        What a kind is made by, and how many images are of it; the first of these. The first kind of a
        texture has the texture's name in front.
    """
    found, textures = {}, set()
    for row in csv.DictReader(io.StringIO(files["stimuli.csv"].decode())):
        method = row["method"].replace("_", " ")
        kind = shown(row["method"], labels.get(row["maker"], row["maker"])) if row["maker"] else method
        found.setdefault((row["texture"], kind), []).append(files[row["file"]])
    rows = []
    for (texture, kind), images in found.items():
        name = f"{kind}, {len(images)}" if texture in textures else f"{texture}: {kind}, {len(images)}"
        textures.add(texture)
        rows.append((name, [np.asarray(Image.open(io.BytesIO(image))) for image in images[:most]]))
    return rows


def assemble(entries, images, choices):
    """Put a pack together.

    Parameters
    ----------
    entries : sequence of dict
        See `manifest`.
    images : sequence of array, uint8, shape (H, W, 3)
    choices : dict
        luminance, contrast (see `targets`), gamma, seed and repeats (see `odd_one_out`).

    Returns
    -------
    files : dict of str to bytes
    told : dict
        What was matched to, and how many images and trials there are.
    """
    gamma, seed = choices["gamma"], choices["seed"]
    mean, contrast = targets(images, choices["luminance"], choices["contrast"], gamma)
    if mean is not None or contrast is not None:
        images = [luminance.match(image, mean, contrast, gamma) for image in images]
    rows, files = manifest(entries, images, gamma)
    trials = odd_one_out(rows, seed, choices["repeats"])
    said = {
        key: "each its own" if value is None else f"{value:.4g}"
        for key, value in (("mean", mean), ("contrast", contrast))
    }
    files["stimuli.csv"], files["trials.csv"] = table(rows, MANIFEST), table(trials, TRIALS)
    files["README.txt"] = README.format(seed=seed, gamma=gamma, **said).encode()
    return files, {"images": len(rows), "trials": len(trials), "luminance": mean, "contrast": contrast}


def targets(images, mean, contrast, gamma="srgb"):
    """Find what images are matched to.

    Parameters
    ----------
    images : sequence of array
    mean, contrast : float, True or None
        A number; True for what they have in the mean; None leaves each its own.
    gamma
        See `luminance`.

    Returns
    -------
    (float or None, float or None)
    """
    luminance.check_gamma(gamma)
    if True not in (mean is True, contrast is True):
        return mean, contrast
    measured = np.mean([luminance.measure(image, gamma) for image in images], axis=0).tolist()
    return (measured[0] if mean is True else mean), (measured[1] if contrast is True else contrast)


def manifest(entries, images, gamma="srgb"):
    """Describe images, one row each.

    Parameters
    ----------
    entries : sequence of dict
        texture, texture_class, method, maker, seed, loss of each.
    images : sequence of array, uint8, shape (H, W, 3)
        As they are shown.
    gamma
        See `luminance`.

    Returns
    -------
    rows : list of dict
        With the columns of `MANIFEST`.
    files : dict of str to bytes
        PNGs by their names in the pack.
    """
    rows, files = [], {}
    for entry, image in zip(entries, images, strict=True):
        parts = [entry[key] for key in ("texture", "method", "maker", "seed")]
        name = "-".join(str(part) for part in parts if part not in ("", None))
        name = f"images/{name}.png"
        if name in files:
            raise InputError(f"stimuli: two images would be called {name}; give the textures other names")
        files[name] = png(image)
        mean, contrast = luminance.measure(image, gamma)
        row = {"file": name} | entry | {"mean_luminance": round(mean, 6), "rms_contrast": round(contrast, 6)}
        row["sha256"] = hashlib.sha256(files[name]).hexdigest()
        rows.append({column: row[column] for column in MANIFEST})
    return rows, files


def png(image):
    """Write an image as the bytes of a PNG, without anything else in it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


def odd_one_out(rows, seed=0, repeats=1):
    """List trials that show two images of one kind and one of another.

    A kind is a method with its maker. For every texture and every ordered pair of kinds of which the
    first has two images or more, the odd one stands at each of the three positions `repeats` times, so
    that positions are counterbalanced within every comparison. Which images are shown, and in which
    order the trials follow each other, is drawn.

    Parameters
    ----------
    rows : list of dict
        Of the manifest.
    seed : int
    repeats : int

    Returns
    -------
    list of dict
        With the columns of `TRIALS`; `odd_position` counts from 1.
    """
    draw = random.Random(seed)
    kinds = {}
    for row in rows:
        kinds.setdefault(row["texture"], {}).setdefault((row["method"], row["maker"]), []).append(row["file"])
    trials = []
    for texture, of_texture in kinds.items():
        for kind, odd in itertools.permutations(of_texture, 2):
            if len(of_texture[kind]) < SHOWN - 1:
                continue
            for position in list(range(SHOWN)) * repeats:
                shown = draw.sample(of_texture[kind], SHOWN - 1)
                shown.insert(position, draw.choice(of_texture[odd]))
                about = {"texture": texture, "method": kind[0], "maker": kind[1]}
                about |= {"odd_method": odd[0], "odd_maker": odd[1]}
                about |= {f"image_{i}": file for i, file in enumerate(shown, 1)}
                trials.append(about | {"odd_position": position + 1})
    draw.shuffle(trials)
    return [{"trial": number} | trial for number, trial in enumerate(trials, 1)]


def table(rows, columns):
    """Write a CSV as PsychoPy and pandas read it: a header of names, a comma between cells, UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write(path, files):
    """Write files into one zip, whole or not at all; the same files make the same bytes.

    Parameters
    ----------
    path : str or Path
    files : dict of str to bytes
        Content by name.
    """
    with whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED)
