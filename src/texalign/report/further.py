"""Pages of what a study has beyond its first answer, as far as it was made."""

import shutil
from pathlib import Path

from PIL import Image

from texalign import tables
from texalign.files import whole
from texalign.report import pages

#: What a figure's page shows it as wide as, in pixels.
WIDE = 960


def parts(study, found, explained, captions, folder):
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
    folder : str or Path
        The page's.

    Returns
    -------
    list of dict
        title, figures, tables.
    """
    return [
        {
            "title": part["title"],
            "figures": [
                _figure(Path(study, file), file, part["title"], captions.get(name, ""), folder)
                for file, name in zip(part["figures"], part["captions"], strict=True)
            ],
            "tables": [
                _table(Path(study, file), file, explained[""] | explained.get(part["section"], {}))
                for file in part["tables"]
            ],
        }
        for part in found
    ]


def _figure(path, file, title, told, folder):
    name = file.removeprefix("figures/").replace("/", "-")
    with whole(Path(folder, name)) as temporary:
        shutil.copyfile(path, temporary)
    with Image.open(path) as image:
        width, height = image.size
    first = told.partition(". ")[0]
    return {
        "file": name,
        "alt": f"{first or title}: a figure that the text below explains. Its numbers are in tables.",
        "caption": f"{told} ({file})" if told else file,
        "width": WIDE,
        "height": round(WIDE * height / width),
        "lazy": True,
    }


def _table(path, file, explained):
    rows = tables.read(path)
    caption = file if len(rows) <= pages.LARGEST else f"{file}: the first {pages.LARGEST} of {len(rows)} rows"
    return {"table": pages.table(rows, explained), "caption": caption}
