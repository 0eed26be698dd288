"""Matrices of similarities or dissimilarities that people gave, from CSV or rsatoolbox's HDF5."""

import csv
import importlib
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from texalign import joins
from texalign.errors import InputError
from texalign.human.agreement import toolbox


class Similarities(NamedTuple):
    """RDMs of named textures or classes.

    Attributes
    ----------
    names : list of str
    matrices : array, float64, shape (o, n, n)
        Dissimilarities, one matrix an observer.
    """

    names: list
    matrices: np.ndarray


def read_similarities(path, similarity=False):
    """Read a matrix with names.

    Parameters
    ----------
    path : str or Path
        CSV: names in the first row and in the first column, a square of numbers between. Or an HDF5 file of
        rsatoolbox's ``RDMs.save``, whose patterns have the descriptor ``file``, or else ``name``, ``label``,
        ``conds`` or ``class``; each of its RDMs is an observer.
    similarity : bool
        Large numbers mean alike: they are taken from the largest.

    Returns
    -------
    Similarities

    Raises
    ------
    InputError
        The file is not of this form; names stand twice or differ between rows and columns; the matrix is not
        symmetric, or holds something that is no finite number.
    """
    names, matrices = _read_csv(path) if Path(path).suffix.lower() == ".csv" else _read_rsatoolbox(path)
    twice = [name for i, name in enumerate(names) if name in set(names[:i])]
    if twice:
        raise InputError(f"{path}: {twice[0]}: stands twice; keep one of them")
    if len(names) < 3:
        raise InputError(f"{path}: {len(names)} names; at least 3 are needed")
    off = ~np.eye(len(names), dtype=bool)
    if not np.isfinite(matrices[:, off]).all():
        raise InputError(f"{path}: a cell is empty or no finite number; give all pairs")
    if not np.allclose(matrices, matrices.transpose(0, 2, 1), rtol=1e-6, atol=1e-9, equal_nan=True):
        raise InputError(f"{path}: the matrix is not symmetric; give each pair one number")
    if similarity:
        matrices = matrices[:, off].max(axis=1)[:, None, None] - matrices
    matrices[:, ~off] = 0
    if matrices.min() < 0:
        raise InputError(
            f"{path}: a dissimilarity is negative; if these are similarities, write similarity: true"
        )
    return Similarities(names, matrices)


def _read_csv(path):
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        header, *rows = [row for row in csv.reader(text.splitlines()) if row]
        names, values = [row[0] for row in rows], [[_number(cell) for cell in row[1:]] for row in rows]
        matrix = np.array(values)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no matrix of numbers with names ({error}); correct it") from error
    if matrix.shape != (len(names), len(names)):
        raise InputError(
            f"{path}: has {len(names)} rows, and {matrix.shape[-1]} numbers in a row; give a square"
        )
    if header[1:] != names:
        wrong = next(((a, b) for a, b in zip(header[1:], names, strict=False) if a != b), ("", names[-1]))
        raise InputError(
            f"{path}: columns and rows have other names, as {wrong[0]!r} and {wrong[1]!r}; "
            "give both the same order"
        )
    return names, matrix[None]


def _number(cell):
    return float(cell) if cell.strip() else np.nan


def _read_rsatoolbox(path):
    toolbox()
    load = importlib.import_module("rsatoolbox.rdm").load_rdm
    try:
        rdms = load(str(path), file_type="hdf5")
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read as RDMs of rsatoolbox ({error}); correct it") from error
    known = [key for key in ("file", "name", "label", "conds", "class") if key in rdms.pattern_descriptors]
    if not known:
        has = ", ".join(rdms.pattern_descriptors)
        raise InputError(f"{path}: no pattern descriptor names the textures; call it file (there are: {has})")
    names = [_text(name) for name in rdms.pattern_descriptors[known[0]]]
    return names, np.asarray(rdms.get_matrices(), np.float64)


def _text(name):
    """Name as it was before `texalign.human.exchange` made it ASCII."""
    name = name.decode() if isinstance(name, bytes) else str(name)
    return re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})", lambda code: chr(int(code[1][1:], 16)), name)


def of_textures(found, files, classes, where):
    """Join a matrix with the textures, or with their classes.

    Parameters
    ----------
    found : Similarities
    files, classes : sequence of str
        Of the study.
    where : str
        What the matrix is called in errors.

    Returns
    -------
    joined : texalign.joins.Joined
    observers : array, float32, shape (o, m(m-1)/2)
        Condensed, of the joined textures. Where the names are those of classes, two textures are as far apart
        as their classes.
    by_class : bool
    """
    known = set(classes)
    if set(found.names) & known and not any("/" in name for name in found.names):
        place = {name: i for i, name in enumerate(found.names)}
        kept = [i for i, name in enumerate(classes) if name in place]
        missing = [file for file, name in zip(files, classes, strict=True) if name not in place]
        extra = [name for name in found.names if name not in known]
        joined = joins.Joined(np.array(kept), np.array([place[classes[i]] for i in kept]), missing, extra)
        by_class = True
    else:
        joined, by_class = joins.by_name(found.names, files, where), False
    upper = np.triu_indices(len(joined.rows), 1)
    picked = found.matrices[:, joined.rows[:, None], joined.rows]
    return joined, np.stack([matrix[upper] for matrix in picked]).astype(np.float32), by_class
