"""Fonts for the letters that matplotlib's own font lacks: any that is installed and has them."""

import functools

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

#: Comes with matplotlib: the same on every machine.
OURS = "DejaVu Sans"


def covering(letters):
    """Find installed fonts that together have what `OURS` lacks.

    Parameters
    ----------
    letters : iterable of str

    Returns
    -------
    families : list of str
        As few as go, those without serifs first; known to matplotlib from now on.
    missing : list of str
        What no font has.
    """
    wanted = {letter for letter in letters if letter.isprintable() and not letter.isspace()}
    wanted -= _letters(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf")[1]
    families = []
    while wanted:
        family, path, found = _best(wanted)
        if not found:
            break
        font_manager.fontManager.addfont(path)
        families.append(family)
        wanted -= found
    return families, sorted(wanted)


def _best(wanted):
    fonts = [(*_letters(path), path) for path in sorted(font_manager.findSystemFonts())]
    found = [(family, path, wanted & letters) for family, letters, path in fonts]
    # A font of last resort has all letters, and shows a box for each.
    usable = [font for font in found if "resort" not in font[0].lower()]
    return max(usable, key=lambda font: (len(font[2]), "sans" in font[0].lower()), default=("", "", set()))


@functools.cache
def _letters(path):
    """Family of a font, and the letters that it has."""
    try:
        font = FT2Font(path)
        return font.family_name, frozenset(map(chr, font.get_charmap()))
    except (OSError, RuntimeError):
        return "", frozenset()
