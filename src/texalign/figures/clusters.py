"""Figures of clusters: which of them the textures of each class fell into."""

import numpy as np
from matplotlib.figure import Figure

from texalign.figures.style import DOUBLE, colour_bar, fit_names, frameless, plain, styled
from texalign.views import matched_order, shorten


@styled
def cluster_composition(table, classes, title=""):
    """Draw which clusters the textures of each class fell into.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.
    classes : sequence of str
        The names of the rows.
    title : str

    Returns
    -------
    Figure
        Shares of each class's textures, rows and columns in `matched_order`. Clusters keep their
        number, counted from 1.
    """
    table = np.asarray(table)
    rows, columns = matched_order(table)
    share = (table / np.maximum(table.sum(axis=1, keepdims=True), 1))[np.ix_(rows, columns)]
    width = DOUBLE if max(table.shape) > 20 else 4.6
    figure = Figure(figsize=(width, 0.82 * width), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto", rasterized=True)
    frameless(axes)
    colour_bar(axes, image, "Share of the class's textures (0 to 1)")
    axes.set(
        title=plain(*shorten([title], int(12 * width))), xlabel="Cluster (number)", ylabel="Texture class"
    )
    fit_names(axes.xaxis, np.arange(len(columns)), columns + 1, rotation=90)
    fit_names(axes.yaxis, np.arange(len(rows)), [classes[row] for row in rows])
    return figure
