"""Small images of all textures, many in one file."""

from pathlib import Path

import numpy as np
from PIL import Image

from texalign.files import whole
from texalign.report import data

#: Pixels of a thumbnail's side, and thumbnails in a row and in a column of a sheet.
SIDE, ACROSS = 96, 16


def shrink(image, side=SIDE):
    """One image as a square of `side` pixels, uint8 (side, side, 3)."""
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))


def sheets(images, side=SIDE, across=ACROSS):
    """Put images into sheets, row by row.

    Parameters
    ----------
    images : iterable of array, uint8, shape (H, W, 3)
    side, across : int

    Yields
    ------
    array, uint8
        A sheet of at most `across` rows of `across` images; the last has as many rows as it needs.
    """
    sheet, count = None, 0
    for image in images:
        if sheet is None:
            sheet = np.zeros((across * side, across * side, 3), np.uint8)
        row, column = divmod(count, across)
        place = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
        sheet[place] = shrink(image, side)
        count += 1
        if count == across * across:
            yield sheet
            sheet, count = None, 0
    if count:
        yield sheet[: -(-count // across) * side]


def write(folder, files, classes, images):
    """Write the sheets, and a script that says which texture is where.

    Parameters
    ----------
    folder : str or Path
    files, classes : sequence of str, length n
    images : iterable of array, length n
    """
    for number, sheet in enumerate(sheets(images)):
        with whole(Path(folder, f"sheet{number}.jpg")) as path:
            Image.fromarray(sheet).save(path, format="JPEG", quality=82)
    names = list(dict.fromkeys(classes))
    place = {name: i for i, name in enumerate(names)}
    value = {
        "files": list(files),
        "names": names,
        "classes": [place[name] for name in classes],
        "side": SIDE,
        "across": ACROSS,
    }
    with whole(Path(folder, "textures.js")) as path:
        path.write_text(data.script("textures", value), encoding="utf-8")
