"""Pages of what a study has beyond its first answer, as far as it was made."""

import shutil
from collections import Counter
from pathlib import Path

from PIL import Image

from texalign import tables
from texalign.files import whole
from texalign.report import pages

#: What a figure's page shows it as wide as, in pixels.
WIDE = 960

#: Bytes from which on a figure is mostly photographs or noise, and travels as a JPEG.
LARGE = 400_000

#: Columns that say who a row's network is, as its name does too.
WHO = ("label", "family", "weights")


def parts(study, found, explained, captions, names, folder):
    """Turn the parts of a page into what its template shows, and copy their figures beside it.

    Parameters
    ----------
    study : str or Path
        The study's folder.
    found : list of dict
        As `texalign.plan.pages.found` lists them.
    explained : dict of str to dict of str to str
        Heading of the documentation to the columns explained below it; an empty one has them all.
    captions : dict of str to str
        The name of a caption to its text, see `texalign.plan.pages.caption`.
    names : dict of str to str
        What networks are called.
    folder : str or Path
        The page's.

    Returns
    -------
    list of dict
        title, about, figures, tables. What is said of several figures of a kind is said once, in ``about``.
    """
    return [_part(study, part, explained, captions, names, folder) for part in found]


def _part(study, part, explained, captions, names, folder):
    kinds = Counter(figure["caption"] for figure in part["figures"])
    texts = {name: captions.get(name, "") for name in kinds}
    columns = explained[""] | explained.get(part["section"], {})
    return {
        "title": part["title"],
        "about": [part["about"], *(_sentences(texts[name])[1] for name, count in kinds.items() if count > 1)],
        "figures": [
            _figure(study, figure, _told(figure, texts, kinds, names), part["title"], folder)
            for figure in part["figures"]
        ],
        "tables": [_table(Path(study, file), file, columns, names) for file in part["tables"]],
    }


def _sentences(text):
    """Split a text into its first sentence, and the rest."""
    first, point, rest = text.partition(". ")
    return first + point.strip(), rest


def _told(figure, texts, kinds, names):
    """Caption of a figure, with the names that are its own; its first sentence, where there are several."""
    text = texts[figure["caption"]]
    text = text if kinds[figure["caption"]] == 1 else _sentences(text)[0]
    for word, name in figure["of"].items():
        text = text.replace(f"{{{word}}}", names.get(name, name))
    return text


def _figure(study, figure, told, title, folder):
    file, source = figure["file"], Path(study, figure["file"])
    name = file.removeprefix("figures/").replace("/", "-")
    photographs = source.stat().st_size > LARGE
    name = f"{Path(name).stem}.jpg" if photographs else name
    with whole(Path(folder, name)) as temporary, Image.open(source) as image:
        width, height = image.size
        if photographs:
            image.convert("RGB").save(temporary, format="JPEG", quality=88)
        else:
            shutil.copyfile(source, temporary)
    first = _sentences(told)[0].removesuffix(".")
    return {
        "file": name,
        "alt": f"{first or title}: a figure that the text beside it explains.",
        "caption": f"{told} ({file})" if told else file,
        "width": WIDE,
        "height": round(WIDE * height / width),
        "lazy": True,
    }


def _table(path, file, explained, names):
    rows = tables.read(path)
    if "network" in rows:
        rows = rows.drop(columns=rows.columns.intersection(WHO))
        rows["network"] = rows["network"].map(lambda network: names.get(network, network))
    shown = f"the first {pages.LARGEST} of " if len(rows) > pages.LARGEST else ""
    caption = f"{file}: {shown}{len(rows)} row{'s' if len(rows) != 1 else ''}"
    return {"table": pages.table(rows, explained), "caption": caption}
