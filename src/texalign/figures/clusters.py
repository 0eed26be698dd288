"""Figures of clusters: which of them the textures of each class fell into."""

import numpy as np
from matplotlib.figure import Figure

from texalign.figures.style import DOUBLE, colour_bar, fit_names, frameless, plain, styled
from texalign.views import matched_order, mosaic, shorten


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


@styled
def class_recovery(table, labels):
    """Draw how much of each class is in the cluster that it is paired with, at each network's best layer.

    Parameters
    ----------
    table : DataFrame
        A row a class, a column a network, best recovered classes first; shares between 0 and 1.
    labels : sequence of str
        Of the networks.

    Returns
    -------
    Figure
    """
    below = 0.07 * max(map(len, labels))  # inches that the names of the networks take, written upwards
    figure = Figure(figsize=(DOUBLE, 0.5 + below + 0.13 * max(len(table), 12)), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(table.to_numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto", rasterized=True)
    frameless(axes)
    colour_bar(axes, image, "Share of a class (0 to 1)", place=(1.02, 0, 0.02, 1))
    axes.set(xlabel="Network, at its best layer", ylabel="Texture class")
    fit_names(axes.yaxis, np.arange(len(table)), list(table.index))
    fit_names(axes.xaxis, np.arange(len(labels)), labels, rotation=90)
    return figure


@styled
def typical_images(rows, title=""):
    """Draw the images nearest to and farthest from the middle of their class.

    Parameters
    ----------
    rows : list of (str, array, array)
        Class, its typical images and its atypical ones, each uint8 (count, H, W, 3).
    title : str

    Returns
    -------
    Figure
        A row a class: typical images left, atypical ones right; two columns of classes where they are many.
    """
    columns = 2 if len(rows) > 12 else 1
    lines, wide = -(-len(rows) // columns), sum(len(images) for images in rows[0][1:])
    size = DOUBLE / columns / (wide + 2.6)
    figure = Figure(figsize=(DOUBLE, 0.7 + 1.04 * size * lines), layout="constrained")
    grid = figure.subplots(1, columns, squeeze=False)[0]
    for axes, first in zip(grid, range(0, len(rows), lines), strict=False):
        part = rows[first : first + lines]
        picture, middles = mosaic([row[1:] for row in part])
        axes.imshow(picture, interpolation="antialiased")
        frameless(axes)
        fit_names(axes.yaxis, middles, [row[0] for row in part])
        edge = picture.shape[1] * len(part[0][1]) / wide
        axes.set_xticks([edge / 2, (picture.shape[1] + edge) / 2], ["typical", "atypical"])
        axes.tick_params(length=0)
    figure.suptitle(plain(*shorten([title], 90)), fontsize=8)
    return figure
