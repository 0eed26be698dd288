"""Figures of clusters: which of them the textures of each class fell into."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import CHANCE, DOUBLE, MIDDLE, colour_bar, fit_names, frameless, plain, styled
from texalign.views import matched_order, mosaic, shorten


@styled
def cluster_composition(table, classes, title="", matched=None):
    """Draw which clusters the textures of each class fell into.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.
    classes : sequence of str
        The names of the rows.
    title : str
    matched : array of int, shape (classes,), optional
        See `texalign.views.matched_order`.

    Returns
    -------
    Figure
        Shares of each class's textures, rows and columns in `matched_order`; above, how many textures are in
        each cluster. Clusters keep the numbers that they have in tables.
    """
    table = np.asarray(table)
    rows, columns = matched_order(table, matched)
    share = (table / np.maximum(table.sum(axis=1, keepdims=True), 1))[np.ix_(rows, columns)]
    width = DOUBLE if max(table.shape) > 20 else MIDDLE
    figure = Figure(figsize=(width, 0.9 * width), layout="constrained")
    above, axes = figure.subplots(2, 1, height_ratios=[1, 7], sharex=True)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto", rasterized=True)
    frameless(axes)
    colour_bar(axes, image, "Share of the class's textures (0 to 1)")
    axes.set(xlabel="Cluster (number)", ylabel="Texture class")
    _sizes(above, table.sum(0)[columns], width)
    above.set_title(plain(*shorten([title], int(12 * width))))
    fit_names(axes.xaxis, np.arange(len(columns)), columns, rotation=90)
    fit_names(axes.yaxis, np.arange(len(rows)), [classes[row] for row in rows])
    return figure


def _sizes(axes, sizes, width):
    """Draw how many textures are in each cluster, with the number where there is room."""
    axes.bar(np.arange(len(sizes)), sizes, width=0.8, color=CHANCE, linewidth=0)
    axes.set(ylabel="Textures", ylim=(0, 1.3 * max(sizes.max(), 1)), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    size = min(6.0, 36 * width / len(sizes) / max(len(str(sizes.max())), 2))
    if size >= 4:
        for i, count in enumerate(sizes):
            axes.text(i, count, str(count), ha="center", va="bottom", fontsize=size)
    else:
        axes.spines["left"].set_visible(True)
        axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        axes.tick_params("y", length=2)


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
    upwards = len(labels) > 3
    below = 0.07 * max(map(len, labels)) if upwards else 0.2  # inches that the names of the networks take
    figure = Figure(figsize=(DOUBLE, 0.5 + below + 0.13 * max(len(table), 12)), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(table.to_numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto", rasterized=True)
    frameless(axes)
    colour_bar(axes, image, "Share of a class (0 to 1)", place=(1.02, 0, 0.02, 1))
    axes.set(xlabel="Network, at its best layer", ylabel="Texture class")
    fit_names(axes.yaxis, np.arange(len(table)), list(table.index))
    fit_names(axes.xaxis, np.arange(len(labels)), labels, rotation=90 if upwards else 0)
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
        picture, middles = mosaic([row[1:] for row in part], lines=lines)
        axes.imshow(picture, interpolation="antialiased")
        frameless(axes)
        fit_names(axes.yaxis, middles, [row[0] for row in part])
        edge = picture.shape[1] * len(part[0][1]) / wide
        axes.set_xticks([edge / 2, (picture.shape[1] + edge) / 2], ["typical", "atypical"])
        axes.tick_params(length=0)
    figure.suptitle(plain(*shorten([title], 90)), fontsize=8)
    return figure


@styled
def contact_sheet(rows, title="", across=1):
    """Draw the images of each cluster.

    Parameters
    ----------
    rows : list of (str, array)
        What a cluster is called, and its images, uint8 (count, H, W, 3); in one column or more.
    title : str
    across : int
        Images that a row has room for at least.

    Returns
    -------
    Figure
        A row a cluster.
    """
    columns = 2 if len(rows) > 16 else 1
    lines, wide = -(-len(rows) // columns), max(across, *(len(images) for _, images in rows))
    beside = 0.06 * max(len(name) for name, _ in rows)  # inches that the names take
    size = (DOUBLE - columns * beside) / columns / wide
    figure = Figure(figsize=(DOUBLE, 0.4 + size * lines), layout="constrained")
    grid = figure.subplots(1, columns, squeeze=False)[0]
    for axes, first in zip(grid, range(0, len(rows), lines), strict=False):
        part = rows[first : first + lines]
        # As wide as any, and as high as the others, so that all images are of one size.
        picture, middles = mosaic([[images] for _, images in part], columns=wide, lines=lines)
        axes.imshow(picture, interpolation="antialiased")
        axes.set_xticks([])
        frameless(axes)
        fit_names(axes.yaxis, middles, [name for name, _ in part])
    for axes in grid[-(-len(rows) // lines) :]:
        axes.set_axis_off()
    figure.suptitle(plain(*shorten([title], 90)), fontsize=8)
    return figure
