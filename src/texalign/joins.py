"""Which row of somebody's table is which texture: joined by file name, and what is left over in one line."""

import csv
import io
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from texalign.errors import InputError


class Joined(NamedTuple):
    """How names and textures belong together.

    Attributes
    ----------
    textures, rows : array of int, shape (m,)
        Positions of the textures that have a name, ascending, and of their names.
    missing : list of str
        Textures without a name.
    extra : list of str
        Names of no texture.
    """

    textures: np.ndarray
    rows: np.ndarray
    missing: list
    extra: list


def by_name(names, files, where):
    """Find the texture of each name.

    Parameters
    ----------
    names : sequence of str
        ``<class>/<file>``, or the file's name alone where no two classes have one of that name; with any
        folders before it.
    files : sequence of str
        The textures, ``<class>/<file>``.
    where : str
        What the names are called in errors.

    Returns
    -------
    Joined

    Raises
    ------
    InputError
        A name stands twice, or means several textures; or none means any.
    """
    names = [unicodedata.normalize("NFC", str(name)).replace("\\", "/") for name in names]
    place = {file: i for i, file in enumerate(files)}
    alone = [file.rpartition("/")[2] for file in files]
    count, of_file = Counter(alone), dict(zip(alone, range(len(files)), strict=True))
    found, extra = {}, []
    for row, name in enumerate(names):
        texture = place.get("/".join(name.split("/")[-2:]))
        if texture is None and "/" not in name and name in count:
            if count[name] > 1:
                raise InputError(f"{where}: {name}: several textures have this name; write <class>/<file>")
            texture = of_file[name]
        if texture is None:
            extra.append(name)
        elif texture in found:
            raise InputError(f"{where}: {name}: stands twice; keep one of them")
        else:
            found[texture] = row
    if not found:
        raise InputError(
            f"{where}: none of {len(names)} names is a texture's, as {_some(names)}; textures are called "
            f"{_some(list(files))}"
        )
    textures = np.array(sorted(found))
    missing = [file for i, file in enumerate(files) if i not in found]
    return Joined(textures, np.array([found[i] for i in textures]), missing, extra)


def told(joined, where):
    """Say in one line what a join has left over; None where it is nothing.

    Parameters
    ----------
    joined : Joined
    where : str
    """
    parts = []
    if joined.missing:
        parts.append(f"{len(joined.missing)} textures are missing there, as {_some(joined.missing)}")
    if joined.extra:
        parts.append(f"{len(joined.extra)} names are of no texture, as {_some(joined.extra)}")
    if not parts:
        return None
    n = len(joined.textures)
    return f"{where}: {n} of {n + len(joined.missing)} textures are joined; {'; '.join(parts)}"


def read_columns(path, columns, optional=()):
    """Read a CSV of one's own, in which every cell is a text.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        That it must have; others are ignored.
    optional : sequence of str
        That it may have.

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    InputError
        The file cannot be read, is no UTF-8, a column is missing or stands twice, or a row is too short.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error}); correct it") from error
    header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    for name in (*columns, *optional):
        count = header.count(name)
        if count > 1 or (name in columns and not count):
            wrong = "stands twice" if count else "is missing"
            raise InputError(f"{path}: the column {name} {wrong}; columns are {', '.join(header) or 'none'}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(f"{path}: row {number} has {len(row)} cells; the header has {len(header)}")
    taken = [name for name in (*columns, *optional) if name in header]
    return {name: [row[header.index(name)] for row in rows] for name in taken}


def _some(names):
    return ", ".join(names[:2]) if names else "nothing"
