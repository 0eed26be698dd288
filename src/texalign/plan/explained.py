"""What the documentation says of columns, and of what differs from the paper: for the report too."""

import re

_ROW = re.compile(r"^\|(.*)\|$")
_NAME = re.compile(r"`([A-Za-z0-9_]+)`")


def tables(text):
    """Cells of every table of a Markdown text.

    Returns
    -------
    list of (list of str, list of list of str)
        The header of each, and its rows.
    """
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        row = _ROW.match(line.strip())
        if row:
            rows.append([cell.strip() for cell in row[1].split("|")])
        elif rows:
            found.append((rows[0], rows[2:]))
            rows = []
    return found


def columns(text):
    r"""Explanation of each column that a table with the heading ``column`` names.

    Examples
    --------
    >>> columns("| column | meaning |\n|---|---|\n| `k`, `n` | clusters, *textures* |")
    {'k': 'clusters, textures', 'n': 'clusters, textures'}
    """
    return {
        name: plain(meaning)
        for header, rows in tables(text)
        if header[0] == "column"
        for names, meaning, *_ in rows
        for name in _NAME.findall(names)
    }


def sections(text):
    """Columns and their explanations by the heading that they stand below; all of them below an empty one.

    Where a column is explained twice, the first counts among all.
    """
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = {heading: columns(part) for heading, part in zip(parts[1::2], parts[2::2], strict=True)}
    every = {}
    for named in found.values():
        every = named | every
    return {heading: named for heading, named in found.items() if named} | {"": every}


def differences(text):
    """Rows of the table of what the paper says, what its program does, and what is done here."""
    for header, rows in tables(text):
        if header[1:2] == ["the paper says"]:
            return [[plain(cell) for cell in row] for row in rows]
    return []


def plain(text):
    """Take the marks of Markdown away."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\*+([^*]+)\*+", r"\1", text).replace("`", "")
