"""Tables and arrays → what is shown of them, without a plotting library: for figures and the report."""

import unicodedata
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from texalign.geometry import scaling
from texalign.tables import natural


def reduce_rdm(condensed, n, pixels=900):
    """Shrink an RDM by block means, for drawing.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
        The upper triangle, row by row, as SciPy's `pdist` returns it.
    n : int
        Number of textures.
    pixels : int
        Largest side of the result.

    Returns
    -------
    array, shape (m, m)
        With m = min(n, pixels): the means over m × m nearly equal blocks of the square matrix, whose
        diagonal is zero. The square itself is never made: one row at a time is.
    """
    edges = block_edges(n, min(n, pixels))
    sizes = np.diff(edges)
    return _block_sums(condensed, n, edges) / np.outer(sizes, sizes)


def block_edges(n, side):
    """Edges of `side` nearly equal blocks of n textures, shape (side + 1,)."""
    return np.linspace(0, n, side + 1).round().astype(int)


def _block_sums(condensed, n, edges):
    """Sum the square matrix over the blocks between edges, row by row: the square itself is never made."""
    if len(condensed) != n * (n - 1) // 2:
        raise ValueError(f"condensed has {len(condensed)} entries; {n} textures need {n * (n - 1) // 2}")
    sums = np.zeros((len(edges) - 1, len(edges) - 1))
    start = 0
    for block, (first, last) in enumerate(pairwise(edges)):
        rows = np.zeros(n)
        for i in range(first, last):
            stop = start + n - 1 - i
            rows[i + 1 :] += condensed[start:stop]
            start = stop
        sums[block] = np.add.reduceat(rows, edges[:-1])
    return sums + sums.T


def class_means(condensed, classes):
    """Average an RDM over classes.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
        The upper triangle, row by row.
    classes : sequence of str, length n
        Grouped: the textures of a class stand together.

    Returns
    -------
    names : list of str
    means : array, shape (c, c)
        Mean distance of a texture of one class and a texture of the other; on the diagonal of two different
        textures of the class, NaN where it has one only.
    """
    names, edges = runs(classes)
    sizes = np.diff(edges)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    with np.errstate(invalid="ignore"):
        return names, _block_sums(condensed, len(classes), edges) / pairs


def runs(labels):
    """Names and edges of the runs of equal labels; each label must make up one run."""
    labels = np.asarray(labels, dtype=object)
    edges = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1], True])
    names = list(labels[edges[:-1]])
    if len(set(names)) < len(names):
        raise ValueError("labels must be grouped: rows of one class or network stand together")
    return names, edges


def matched_order(table, matched=None):
    """Order classes and clusters so that the diagonal is strong.

    Each class is matched with one cluster so that together they share as many textures as can be
    (linear assignment); best recovered classes come first, the unmatched ones last.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.
    matched : array of int, shape (classes,), optional
        The matching, where it is known: the cluster of each class, -1 for none.

    Returns
    -------
    rows, columns : arrays of int
    """
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    if matched is None:
        from scipy.optimize import linear_sum_assignment  # half a second, for this alone

        rows, columns = linear_sum_assignment(table, maximize=True)
    else:
        rows = np.flatnonzero(np.asarray(matched) >= 0)
        columns = np.asarray(matched)[rows]
    order = np.argsort(-share[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    spare = np.setdiff1d(np.arange(table.shape[1]), columns)
    rows = np.r_[rows, np.setdiff1d(np.arange(len(table)), rows)]
    return rows, np.r_[columns, spare[np.argsort(np.argmax(table[rows][:, spare], axis=0), kind="stable")]]


def untrained(weights):
    """Tell of each network whether its weights say that it is untrained.

    Parameters
    ----------
    weights : sequence of str

    Returns
    -------
    list of bool
    """
    return [source.startswith("untrained") for source in weights]


def extremes(labels, layer, count=3):
    """Find the images nearest to and farthest from the middle of their class.

    Parameters
    ----------
    labels : DataFrame
        layer, file, class, own_distance.
    layer : str
    count : int
        Of each; fewer where a class has less than twice as many.

    Returns
    -------
    dict of str to (list of str, list of str)
        Class to the files of typical images, the most typical first, and of atypical ones, the least typical
        last.
    """
    ordered = labels[labels["layer"] == layer].sort_values(["own_distance", "file"])
    found = {}
    for name, rows in ordered.groupby("class"):
        files, most = rows["file"].tolist(), min(count, len(rows) // 2)
        found[name] = (files[:most], files[len(files) - most :])
    return found


def mosaic(rows, side=72, gap=4, columns=0, lines=0):
    """Put small images into one picture on white, a row of groups below the other.

    Parameters
    ----------
    rows : list of list of array
        Groups of images, uint8 (count, H, W, 3).
    side, gap : int
        Pixels of an image and between two.
    columns, lines : int
        Images that there is room for at least, across and down.

    Returns
    -------
    picture : array, uint8
    middles : array
        Of the rows, in pixels from the top.
    """
    step, wide = side + gap, max(columns, *(sum(map(len, groups)) for groups in rows))
    picture = np.full((step * max(lines, len(rows)), step * wide, 3), 255, np.uint8)
    for i, groups in enumerate(rows):
        for j, image in enumerate(image for group in groups for image in group):
            small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
            picture[i * step : i * step + side, j * step : j * step + side] = small
    return picture, np.arange(len(rows)) * step + side / 2


def members(files, classes, clusters, most=12):
    """Choose images of each cluster to show, and say what it is made of.

    Parameters
    ----------
    files, classes : sequence of str, length n
        Textures of a class stand together.
    clusters : array of int, shape (n,)
        From 0.
    most : int
        Images of a cluster at most: evenly spread over its textures, and so over its classes.

    Returns
    -------
    list of (str, list of str)
        Largest cluster first: its number, its commonest class and how many of its textures are of this one;
        its files.
    """
    table = pd.DataFrame({"file": files, "class": classes, "cluster": clusters})
    found = []
    for cluster, rows in table.groupby("cluster"):
        counts = rows["class"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
        chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))
        name = f"{cluster}: {counts.index[0]}, {counts.iloc[0]} of {len(rows)}"
        found.append((len(rows), (name, rows["file"].iloc[chosen].tolist())))
    return [entry for _, entry in sorted(found, key=lambda row: -row[0])]


def recovery(classes, best):
    """Shares of classes in their clusters, a row a class and a column a network, at the best layers.

    Parameters
    ----------
    classes : DataFrame
        network, layer, class, recall.
    best : DataFrame
        network, layer.

    Returns
    -------
    DataFrame
        Sorted by the mean over networks, best recovered classes first.
    """
    rows = classes.merge(best[["network", "layer"]], on=["network", "layer"])
    table = rows.pivot(index="class", columns="network", values="recall")[list(best["network"])]
    return table.loc[table.mean(axis=1).sort_values(ascending=False, kind="stable").index]


class Specifications(NamedTuple):
    """Sets of choices in the order in which they are shown.

    Attributes
    ----------
    names : list of str
    bits, correlations : DataFrame
        A row a specification, a column a network and a metric.
    choices : list of (str, dict of str to array)
        Each axis that has several values: value to which specifications have it.
    """

    names: list
    bits: pd.DataFrame
    correlations: pd.DataFrame
    choices: list


def specifications(best, correlations):
    """Order sets of choices by their mean correlation, or by their mean information where there is none.

    Parameters
    ----------
    best : DataFrame
        specification, an axis of choice a column, network, layer, k, mi_bits.
    correlations : DataFrame
        specification, metric, pearson_r.

    Returns
    -------
    Specifications
        Metrics that have no correlation are left out.
    """
    r = correlations.pivot(index="specification", columns="metric", values="pearson_r")
    r = r[list(dict.fromkeys(correlations["metric"]))].dropna(axis="columns", how="all")
    bits = best.pivot(index="specification", columns="network", values="mi_bits")
    names = list((r if r.shape[1] else bits).mean(axis=1).sort_values(kind="stable").index)
    about = best.drop_duplicates("specification").set_index("specification").loc[names]
    about = about.drop(columns=["network", "layer", "mi_bits"]).astype(object)
    about = about.where(about.notna() & (about != ""), "none").map(_plain)
    choices = [
        (axis, {value: (about[axis] == value).to_numpy() for value in sorted(set(about[axis]), key=natural)})
        for axis in about.columns
        if about[axis].nunique() > 1
    ]
    return Specifications(names, bits.loc[names], r.loc[names], choices)


def _plain(value):
    return str(int(value)) if isinstance(value, float) else str(value)


def second_order_map(compared, people=None):
    """Lay RDMs out in a plane by their correlations: of networks' layers, of the classes, of people.

    Parameters
    ----------
    compared : texalign.store.SecondOrder
        Correlations of ranks.
    people : DataFrame, optional
        The study's ``human.csv``: the first RDM of each reference counts, with its correlations with others.

    Returns
    -------
    DataFrame
        network, layer, x, y, and the map's ``stress``: see `texalign.geometry.scaling.plane`. The classes are
        called ``classes``. RDMs that are all alike, which correlate with nothing, are left out.
    """
    places = [*zip(compared.networks, compared.layers, strict=True), ("classes", "L1")]
    known = {}
    for i, row in enumerate(np.column_stack([compared.matrix, compared.class_identity])):
        known |= {frozenset((places[i], place)): value for place, value in zip(places, row, strict=True)}
    if people is not None:
        rows = people[(people["level"] == "image") & (people["kind"] != "triplets")]
        rows = rows[rows["words"] == rows.groupby("reference")["words"].transform("first")]
        places += [(reference, "L1") for reference in dict.fromkeys(rows["reference"])]
        for row in rows.itertuples():
            known[frozenset(((row.reference, "L1"), (row.network, row.layer)))] = row.score
    pairs = [[1.0 if a == b else known.get(frozenset((a, b)), np.nan) for b in places] for a in places]
    matrix = np.array(pairs)
    # An RDM without any correlation, one after the other, as each leaves a gap in all others.
    while np.isnan(matrix).any():
        worst = int(np.isnan(matrix).sum(axis=0).argmax())
        matrix = np.delete(np.delete(matrix, worst, 0), worst, 1)
        del places[worst]
    points, stress = scaling.plane(scaling.between_correlations(matrix))
    networks, layers = zip(*places, strict=True) if places else ((), ())
    table = pd.DataFrame({"network": networks, "layer": layers, "x": points[:, 0], "y": points[:, 1]})
    return table.assign(stress=stress)


def shorten(names, width=32):
    """Cut long names in their middle, so that different ones stay different.

    Parameters
    ----------
    names : iterable
    width : int
        Letters that are kept; a Chinese one counts as two.

    Returns
    -------
    list of str

    Examples
    --------
    >>> shorten(["a texture that is banded", "a texture that is blotchy", "dotted"], 12)
    ['a textu…nded', 'a textu…tchy', 'dotted']
    """
    names = list(map(str, names))
    short, taken = {}, set(names)
    for name in dict.fromkeys(names):
        cut = _cut(name, width)
        # Where the ends are alike too, a number tells them apart.
        number = 2
        while cut != name and cut in taken:
            cut, number = f"{_cut(name, width - 4)} #{number}", number + 1
        short[name] = cut
        taken.add(cut)
    return [short[name] for name in names]


def _cut(name, width):
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in name)
    if len(name) + wide <= width:
        return name
    kept = max(3, width * len(name) // (len(name) + wide) - 1)
    end = max(1, 3 * kept // 8)
    return f"{name[: kept - end]}…{name[-end:]}"
