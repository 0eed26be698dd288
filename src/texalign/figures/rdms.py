"""Figures of dissimilarity matrices: one layer's, and how alike all are."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import (
    CHANCE,
    DOUBLE,
    MIDDLE,
    NUMBERS,
    colour_bar,
    fit_names,
    frameless,
    hues,
    network_legend,
    note,
    plain,
    settle,
    style,
    styled,
    table_styles,
)
from texalign.views import runs, shorten

#: From near, dark, to far; in this order in grey too.
COLOURS = "viridis"

#: Layers in a row.
ACROSS = 5

#: What is compared, where that is not Gram matrices.
COMPARED = {
    "gram": "Gram matrices",
    "covariance": "covariance matrices",
    "correlation": "correlation matrices",
    "mean": "channel means",
    "mean_std": "channel means and deviations",
    "log_gram": "logarithms of Gram matrices",
    "sliced_wasserstein": "quantiles along directions",
}


def metric_label(metric, representation="gram"):
    """Say what an entry of an RDM is, with its unit.

    Examples
    --------
    >>> metric_label("euclidean"), metric_label("cosine", "mean")
    ('Frobenius distance of Gram matrices (arb. units)', '1 − cosine of channel means (no unit)')
    """
    compared = COMPARED[representation]
    if metric == "cosine":
        return f"1 − cosine of {compared} (no unit)"
    kind = "Frobenius" if "matri" in compared else "Euclidean"
    return f"{kind} distance of {compared} (arb. units)"


def of_clusters(metric, clustering):
    """Say what clusters are made from, where that is not what an RDM shows; else nothing.

    Examples
    --------
    >>> of_clusters("euclidean", "gram")
    ''
    >>> of_clusters("cosine", "gram")
    'Shown: cosine distances. The clusters are made from Euclidean ones of the same rows.'
    """
    made = {
        ("cosine", "gram"): "made from Euclidean ones of the same rows",
        ("euclidean", "cosine"): "made from the same rows scaled to norm one",
    }.get((metric, clustering), "")
    if clustering == "rdm_rows":
        made = "of the rows of the Euclidean matrix, taken as feature vectors"
    shown = {"cosine": "cosine", "euclidean": "Euclidean"}[metric]
    return f"Shown: {shown} distances. The clusters are {made}." if made else ""


@styled
def rdm(square, classes, title, metric_label, remark=""):
    """Draw the RDM of one network and layer, with its classes (Fig. 1).

    Parameters
    ----------
    square : array, shape (m, m)
        The RDM, or what `reduce_rdm` made of it.
    classes : sequence of str, length n >= m
        The class of each texture, grouped: the textures of a class stand together.
    title : str
    metric_label : str
        What an entry is, with its unit.
    remark : str, optional
        Said below the figure.

    Returns
    -------
    Figure
        Colours span the 2nd to the 98th percentile off the diagonal. What is NaN stays blank: a Gram
        matrix of zeros has no angle.
    """
    names, edges = runs(classes)
    width = DOUBLE if len(names) > 20 else MIDDLE
    figure = Figure(figsize=(width, 0.86 * width), layout="constrained")
    axes = figure.add_subplot()
    colour_bar(axes, _matrix(axes, square, edges, _limits([square])), metric_label, extend="both")
    axes.set(title=_title(title, figure), xlabel="Textures, by class", ylabel="Textures, by class")
    centres = (edges[1:] + edges[:-1]) / 2
    if remark:
        note(figure, remark)
    fit_names(axes.xaxis, centres, names, rotation=90)
    fit_names(axes.yaxis, centres, names)
    return figure


def repaint(figure, square, title):
    """Show another layer of the same network in a figure that `rdm` made: cheaper than a new one.

    Parameters
    ----------
    figure : Figure
    square : array, shape (m, m)
        As large as that before.
    title : str
    """
    axes = figure.axes[0]
    (image,) = axes.images
    image.set_data(square)
    image.set_clim(*_limits([square]))
    with style():
        axes.set_title(_title(title, figure))
        settle(figure)


def _title(title, figure):
    return plain(*shorten([title], int(12 * figure.get_figwidth())))


@styled
def all_layers(squares, means, classes, titles, title, metric_label, remark=""):
    """Draw the RDMs of all layers of a network side by side on one scale, and below each its class means.

    Parameters
    ----------
    squares : list of array, shape (m, m)
        The RDM of each layer, or what `reduce_rdm` made of it.
    means : list of array, shape (c, c)
        As `class_means` gives them.
    classes : sequence of str, length n >= m
        The class of each texture, grouped.
    titles : sequence of str
        Of the layers; what stands behind the first word gets a line of its own.
    title : str
    metric_label : str
        What an entry is, with its unit.
    remark : str, optional
        Said below the figure.

    Returns
    -------
    Figure
        In pairs of rows of up to `ACROSS` layers each.
    """
    names, edges = runs(classes)
    columns = min(ACROSS, len(squares))
    rows = -(-len(squares) // columns)
    named = len(names) <= 20
    side = (DOUBLE - (2.0 if named else 1.6)) / max(columns, 3)
    size = (DOUBLE, 0.75 + rows * (2 * side + 0.7))
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(plain(*shorten([title], 90)), fontsize=8)
    grid = figure.subplots(2 * rows, columns, squeeze=False)
    whole = np.array([0, len(names)])
    if not named:  # lines would hide what lies between them
        edges = edges[[0, -1]]
    below = []
    for upper, panels, borders in ((True, squares, edges), (False, means, whole)):
        limits = _limits(panels)
        for i, (values, layer) in enumerate(zip(panels, titles, strict=True)):
            row, column = divmod(i, columns)
            axes = grid[2 * row + (0 if upper else 1), column]
            image = _matrix(axes, values, borders, limits)
            if upper:
                name, _, module = layer.partition(" ")
                axes.set_title(f"{name}\n{plain(*shorten([module], 24))}", fontsize=6)
            axes.set(xticks=[], yticks=[])
            if column == 0 and not upper:
                below.append(axes)
            if column == 0:
                axes.set_ylabel("Textures, by class" if upper else "Means of classes", fontsize=7)
        last = grid[0 if upper else 1, min(columns, len(squares)) - 1]
        colour_bar(last, image, _folded(metric_label), (1.06, 0, 0.07, 1), extend="both")
    for axes in grid.T.flat:
        axes.set_axis_off() if not axes.images else None
    if remark:
        note(figure, remark)
    if named:
        for axes in below:
            fit_names(axes.yaxis, np.arange(len(names)) + 0.5, names, largest=5)
    return figure


def _folded(text):
    """Break a label of a short colour bar into two lines."""
    return text.replace(" of ", " of\n", 1)


def _limits(squares):
    """Find the 2nd and the 98th percentile off the diagonals."""
    parts = [square[~np.eye(len(square), dtype=bool) & ~np.isnan(square)] for square in squares]
    values = np.concatenate(parts)
    low, high = np.percentile(values, [2, 98]) if len(values) else (0, 1)
    return low, high if high > low else low + 1


def _matrix(axes, square, edges, limits):
    """Draw a matrix of textures with lines between their classes, light on dark and dark on light."""
    n = edges[-1]
    low, high = limits
    image = axes.imshow(square, cmap=COLOURS, vmin=low, vmax=high, extent=(0, n, n, 0), rasterized=True)
    room = 72 * axes.figure.get_figwidth() * 0.6 / len(axes.figure.axes) ** 0.5 / len(edges)
    for colour, width in (("#222222", 0.9), ("white", 0.45)):
        for lines in (axes.hlines, axes.vlines):
            lines(edges[1:-1], 0, n, color=colour, linewidth=width * min(1, room / 12))
    frameless(axes)
    return image


@styled
def second_order(matrix, labels, groups, class_identity, measure="Correlation", chance=None, controls=0):
    """Draw how alike the RDMs of all networks and layers are, and how like the classes.

    Parameters
    ----------
    matrix : array, shape (m, m)
        Similarity of each two RDMs, from -1 to 1.
    labels : sequence of str, length m
        Network and layer of each RDM.
    groups : sequence of str, length m
        Network of each RDM; the layers of a network stand together.
    class_identity : array, shape (m,)
        Similarity of each RDM and the class-identity RDM (0 within a class, 1 between classes).
    measure : str
        What the similarity is, for the axes.
    chance : array, shape (m,), optional
        Spread of `class_identity` over shuffled classes, about zero.
    controls : int
        RDMs of controls, which come last.

    Returns
    -------
    Figure
    """
    matrix = np.asarray(matrix, dtype=float)
    names, edges = runs(groups)
    m, centres = len(matrix), (edges[1:] + edges[:-1] - 1) / 2
    width = DOUBLE if m > 12 else MIDDLE
    figure = Figure(figsize=(width, 0.92 * width), layout=ConstrainedLayoutEngine(rect=(0.02, 0, 0.96, 1)))
    axes = figure.add_subplot()
    # Correlations hardly below zero would leave half of a scale about zero without use.
    least = np.nanmin(matrix, initial=0)
    signed, low = least < -0.3, np.floor(10 * least) / 10
    look = {"cmap": "RdBu_r", "vmin": -1} if signed else {"cmap": COLOURS, "vmin": low}
    image = axes.imshow(matrix, vmax=1, rasterized=True, **look)
    for lines in (axes.hlines, axes.vlines):
        lines(edges[1:-1] - 0.5, -0.5, m - 0.5, color="#222222" if signed else "white", linewidth=0.5)
        if controls:
            lines(m - controls - 0.5, -0.5, m - 0.5, color="#222222" if signed else "white", linewidth=2)
    frameless(axes)
    bars = axes.inset_axes([1.03, 0, 0.19, 1], ylim=axes.get_ylim())
    own, hue = np.arange(m) < m - controls, hues()[0]
    bars.barh(np.arange(m)[own], np.asarray(class_identity)[own], height=0.8, color=hue)
    look = {"facecolor": "white", "edgecolor": hue, "linewidth": 0.8}
    bars.barh(np.arange(m)[~own], np.asarray(class_identity)[~own], height=0.8, **look)
    bars.axvline(0, color="#222222", linewidth=0.6)
    bars.hlines(edges[1:-1] - 0.5, 0, 1, transform=bars.get_yaxis_transform(), color="#bbbbbb", linewidth=0.5)
    bars.xaxis.set_major_locator(MaxNLocator(2, steps=NUMBERS["steps"]))
    bars.set_yticks([])
    explained = f"{measure}\nwith class identity"
    if chance is not None:
        bars.barh(np.arange(m), 4 * chance, left=-2 * chance, height=1, color=CHANCE, alpha=0.6, linewidth=0)
        explained += "\n(grey: shuffled\nclasses ± 2 s.d.)"
    bars.spines["left"].set_visible(False)
    bars.set_xlabel(explained, fontsize=7)
    colour_bar(axes, image, f"{measure} of two RDMs", (0, 1.02, 1, 0.025), location="top")
    layers = [label.removeprefix(group).strip() for label, group in zip(labels, groups, strict=True)]
    last = "; controls last, hollow bars" if controls else ""
    axes.set(xlabel=f"Network, its layers from shallow to deep{last}", ylabel="Network and layer")
    fit_names(axes.xaxis, centres, names, rotation=90)
    fit_names(axes.yaxis, np.arange(m), layers, largest=6)
    room = max(label.get_window_extent().width for label in axes.get_yticklabels()) * 72 / figure.dpi
    axes.yaxis.remove_overlapping_locs = False
    axes.set_yticks(centres, list(map(plain, shorten(names))), minor=True, fontsize=7)
    axes.tick_params("y", which="minor", length=0, pad=room + 6)
    return figure


@styled
def second_order_map(table, study, labels):
    """Draw a map of RDMs: near ones are alike.

    Parameters
    ----------
    table : DataFrame
        As `texalign.views.second_order_map` gives it.
    study : dict of str to dict
        See `texalign.figures.style.table_styles`.
    labels : dict of str to str
        Names of the classes and of people's references.

    Returns
    -------
    Figure
        Layers of a network are joined from shallow, small, to deep, large.
    """
    networks = table[~table["network"].isin(list(labels))]
    styles, names = table_styles(networks, study)
    figure = Figure(figsize=(DOUBLE, 4.6), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    handles = {}
    for network, look in styles.items():
        rows = networks[networks["network"] == network]
        marks = {key: look[key] for key in ("marker", "markerfacecolor")}
        axes.plot(rows["x"], rows["y"], color=look["color"], linestyle=look["linestyle"], linewidth=0.8)
        for size, row in zip(np.linspace(3, 7, len(rows)), rows.itertuples(), strict=True):
            axes.plot(row.x, row.y, color=look["color"], markersize=size, linestyle="none", **marks)
        handles[network] = Line2D([], [], **look, markersize=5, linewidth=0.8)
    further, people = {}, iter("Dd^vphX<>" * len(labels))
    for row in table[table["network"].isin(list(labels))].itertuples():
        mark = "*" if row.network == "classes" else next(people)
        colour = "#222222" if row.network == "classes" else "#0a7d3c"
        size = 11 if row.network == "classes" else 7
        (line,) = axes.plot(row.x, row.y, marker=mark, color=colour, markersize=size, linestyle="none")
        further[labels[row.network]] = line
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.margins(0.08)
    stress = table["stress"].max()
    axes.set_xlabel(f"Distance: how differently two RDMs order pairs of textures (stress {stress:.2f})")
    place = {"loc": "outside right upper", "labelspacing": 0.6}
    network_legend(figure, handles, styles, names, further, **place)
    return figure
