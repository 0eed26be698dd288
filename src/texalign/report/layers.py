"""What the page of one network and layer shows, from its RDM, its tree and its tables."""

import numpy as np
from matplotlib import colormaps

from texalign import views
from texalign.figures import rdms
from texalign.geometry import condensed as triangle
from texalign.report import data, pages

#: Largest side of the matrix that a page holds; more textures are averaged. As many nearest neighbours.
SIDE, NEAREST = 1400, 24

#: Pairs of classes that are listed, and thumbnails of each.
PAIRS, EXAMPLES = 30, 4


def matrix(condensed, n, side=SIDE):
    """Upper triangle of an RDM, or of its block means, for a page.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
    n : int
    side : int

    Returns
    -------
    dict
        ``side``; ``exact``, whether an entry is a pair of textures; ``edges`` of the blocks, where it is not;
        ``low`` and ``step``, see `texalign.report.data.scale`; ``codes`` of the upper triangle, with its
        diagonal where entries are means; ``shown``, the 2nd and 98th percentile, between which colours lie.
    """
    exact = n <= side
    if exact:
        values = np.asarray(condensed, float)
    else:
        reduced = views.reduce_rdm(condensed, n, side)
        values = reduced[np.triu_indices(len(reduced))]
    low, step = data.scale(values)
    known = values[~np.isnan(values)]
    return {
        "side": min(n, side),
        "exact": exact,
        "edges": None if exact else data.packed(views.block_edges(n, side), "<u4"),
        "low": low,
        "step": step,
        "codes": data.packed(data.quantise(values, low, step)),
        "shown": np.percentile(known, [2, 98]) if len(known) else [0, 1],
    }


def neighbours(condensed, n, count=NEAREST):
    """Nearest textures of each.

    Returns
    -------
    indices : array of int, shape (n, m)
        With m = min(count, n - 1), the nearest first, of equally near ones the first.
    distances : array, shape (n, m)
    """
    count = min(count, n - 1)
    square = triangle.square(np.asarray(condensed))
    indices = np.empty((n, count), int)
    for i, row in enumerate(square):
        row[i] = -1  # itself, to be left out; NaN is sorted last
        indices[i] = np.argsort(row, kind="stable")[1 : count + 1]
    return indices, np.take_along_axis(square, indices, axis=1)


def confused_pairs(confusions, labels, files, examples=EXAMPLES, pairs=PAIRS):
    """Pairs of classes that share most clusters, if any, with textures of each that lie near the other.

    Parameters
    ----------
    confusions : DataFrame
        One layer's: class, other_class, together, confusion.
    labels : DataFrame
        One layer's: file, class, nearest_class, nearest_distance, own_distance.
    files : sequence of str
        All textures in the order of their thumbnails.

    Returns
    -------
    list of dict
        class, other_class, together, confusion; textures and other_textures, as a template shows them: those
        to which the other class is the nearest come first, then typical ones.
    """
    place = {file: i for i, file in enumerate(files)}
    rows = confusions[confusions["confusion"] >= pages.LEAST].sort_values(
        ["confusion", "class", "other_class"], ascending=[False, True, True]
    )
    found = []
    for pair in rows.head(pairs).to_dict("records"):
        both = [(pair["class"], pair["other_class"]), (pair["other_class"], pair["class"])]
        textures = [
            [pages.thumb(place[file], file) for file in _examples(labels, own, other, examples)]
            for own, other in both
        ]
        found.append({**pair, "textures": textures[0], "other_textures": textures[1]})
    return found


def _examples(labels, own, other, count):
    rows = labels[labels["class"] == own]
    apart = (rows["nearest_class"] != other).rename("apart")
    nearness = rows["nearest_distance"].where(~apart, rows["own_distance"])
    order = rows.assign(apart=apart, nearness=nearness).sort_values(["apart", "nearness"], kind="stable")
    return order["file"].tolist()[:count]


def palette():
    """Colours of the figures' RDMs, shape (256, 3), uint8: perceptually uniform, and fit for all readers."""
    return np.rint(255 * colormaps[rdms.COLOURS](np.arange(256))[:, :3]).astype(np.uint8)


def layer(condensed, classes, tree, by_k, side=SIDE):
    """All data of a layer's page.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
    classes : sequence of str, length n
    tree : array, shape (n - 1, 4)
        SciPy's linkage matrix.
    by_k : DataFrame
        One layer's: k, mi_bits, adjusted_mutual_information.
    side : int
        Largest side of the matrix.

    Returns
    -------
    dict
    """
    n = len(classes)
    near, distances = neighbours(condensed, n)
    low, step = data.scale(distances)
    _, means = views.class_means(condensed, classes)
    ordered = by_k.sort_values("k")
    return {
        "n": n,
        "matrix": matrix(condensed, n, side),
        "near": {
            "count": near.shape[1],
            "low": low,
            "step": step,
            "textures": data.packed(near, "<u4"),
            "codes": data.packed(data.quantise(distances, low, step)),
        },
        "means": means,
        "palette": data.packed(palette(), "u1"),
        "merges": data.packed(tree[:, :2].astype(int), "<u4"),
        "k": ordered["k"].tolist(),
        "bits": ordered["mi_bits"].round(4).tolist(),
        "adjusted": ordered["adjusted_mutual_information"].round(4).tolist(),
    }
