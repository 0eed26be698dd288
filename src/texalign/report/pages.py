"""The report's pages, from templates and plain values; all that a template is given is shown as text."""

import math
from importlib import resources
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from texalign.files import whole
from texalign.report import data, thumbnails
from texalign.version import __version__

#: Files that the pages share, in the report's folder ``static``.
STATIC = ("report.css", "report.js", "layer.js", "map.js")

#: Pages of every report: their names and files.
ALWAYS = (("Overview", "index.html"), ("Networks", "networks.html"), ("Map", "map.html"))

#: Rows of a table that a page shows.
LARGEST = 1000

#: Confusion of a pair of classes that is listed: less would be shown as 0.00.
LEAST = 0.005


def environment():
    """Templates of this package; names are escaped everywhere."""
    loader = PackageLoader("texalign.report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def write_page(path, template, **values):
    """Write a page.

    Parameters
    ----------
    path : str or Path
    template : str
        Its name among this package's templates.
    **values
        What the template shows: title, study, pages, here, root and what it asks for.
    """
    text = environment().get_template(template).render(version=__version__, **values)
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def write_script(path, name, value):
    """Write a value as a script that a page can load."""
    with whole(path) as temporary:
        temporary.write_text(data.script(name, value), encoding="utf-8")


def write_static(folder):
    """Write the styles and the programs that all pages share."""
    for name in STATIC:
        source = resources.files("texalign.report").joinpath("static", name)
        with whole(Path(folder, name)) as temporary:
            temporary.write_bytes(source.read_bytes())


def table(rows, explained, links=None):
    """Turn a table into what a template shows.

    Parameters
    ----------
    rows : DataFrame
    explained : dict of str to str
        Columns to what they mean.
    links : dict of str to sequence of str, optional
        Columns to where each of their cells leads.

    Returns
    -------
    dict
        ``columns`` with name and meaning; ``rows`` of cells with text, number (None for a text, or where
        there is none) and link.
    """
    rows = rows.head(LARGEST)
    columns = [{"name": name, "meaning": explained.get(name, "")} for name in rows.columns]
    to = {name: list((links or {}).get(name, [None] * len(rows))) for name in rows.columns}
    cells = [
        [_cell(value, to[name][i]) for name, value in zip(rows.columns, row, strict=True)]
        for i, row in enumerate(rows.itertuples(index=False, name=None))
    ]
    return {"columns": columns, "rows": cells}


def _cell(value, link):
    number = None
    if isinstance(value, bool):
        value = "yes" if value else "no"
    elif pd.isna(value):
        value = ""
    elif isinstance(value, int | float):
        number, value = float(value), shown(value)
    return {"text": str(value), "number": number, "link": link}


def shown(value):
    """Write a number for people: four digits, no more than it has.

    Examples
    --------
    >>> shown(0.123456), shown(180.0), shown(-2)
    ('0.1235', '180', '−2')
    """
    if math.isinf(value):
        return str(value)
    text = f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"
    return text.replace("-", "−")


def thumb(i, file):
    """Where a texture's thumbnail is, for a template."""
    per_sheet = thumbnails.ACROSS**2
    row, column = divmod(i % per_sheet, thumbnails.ACROSS)
    return {
        "file": file,
        "sheet": i // per_sheet,
        "row": row,
        "column": column,
        "across": thumbnails.ACROSS,
    }
