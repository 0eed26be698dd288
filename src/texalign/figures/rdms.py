"""Figures of dissimilarity matrices: one layer's, and how alike all are."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import (
    DOUBLE,
    NUMBERS,
    colour_bar,
    fit_names,
    frameless,
    legend,
    plain,
    styled,
    table_styles,
)
from texalign.views import runs, shorten

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
    ('Frobenius distance of Gram matrices (arb. units)', '1 - cosine of channel means (no unit)')
    """
    compared = COMPARED[representation]
    if metric == "cosine":
        return f"1 - cosine of {compared} (no unit)"
    kind = "Frobenius" if "matri" in compared else "Euclidean"
    return f"{kind} distance of {compared} (arb. units)"


@styled
def rdm(square, classes, title, metric_label):
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

    Returns
    -------
    Figure
        Colours span the 2nd to the 98th percentile off the diagonal. What is NaN stays blank: a Gram
        matrix of zeros has no angle.
    """
    names, edges = runs(classes)
    n, several = edges[-1], len(names) > 20
    width = DOUBLE if several else 4.6
    figure = Figure(figsize=(width, 0.86 * width), layout="constrained")
    axes = figure.add_subplot()
    values = square[~np.eye(len(square), dtype=bool) & ~np.isnan(square)]
    low, high = np.percentile(values, [2, 98]) if len(values) else (0, 1)
    high = high if high > low else low + 1
    image = axes.imshow(square, cmap="mako", vmin=low, vmax=high, extent=(0, n, n, 0), rasterized=True)
    for lines in (axes.hlines, axes.vlines):
        lines(edges[1:-1], 0, n, color="white", linewidth=0.25 if several else 0.5, alpha=0.7)
    frameless(axes)
    colour_bar(axes, image, metric_label, extend="both")
    axes.set(
        title=plain(*shorten([title], int(12 * width))),
        xlabel="Textures, by class",
        ylabel="Textures, by class",
    )
    centres = (edges[1:] + edges[:-1]) / 2
    fit_names(axes.xaxis, centres, names, rotation=90)
    fit_names(axes.yaxis, centres, names)
    return figure


@styled
def second_order(matrix, labels, groups, class_identity, measure="Correlation"):
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

    Returns
    -------
    Figure
    """
    matrix = np.asarray(matrix, dtype=float)
    names, edges = runs(groups)
    m, centres = len(matrix), (edges[1:] + edges[:-1] - 1) / 2
    width = DOUBLE if m > 12 else 5.2
    figure = Figure(figsize=(width, 0.92 * width), layout=ConstrainedLayoutEngine(rect=(0.02, 0, 0.96, 1)))
    axes = figure.add_subplot()
    signed = np.nanmin(matrix) < 0
    image = axes.imshow(
        matrix, cmap="vlag" if signed else "mako", vmin=-1 if signed else 0, vmax=1, rasterized=True
    )
    for lines in (axes.hlines, axes.vlines):
        lines(edges[1:-1] - 0.5, -0.5, m - 0.5, color="#222222" if signed else "white", linewidth=0.5)
    frameless(axes)
    bars = axes.inset_axes([1.03, 0, 0.19, 1], ylim=axes.get_ylim())
    bars.barh(np.arange(m), class_identity, height=0.8, color="#0173b2")
    bars.axvline(0, color="#222222", linewidth=0.6)
    bars.hlines(edges[1:-1] - 0.5, 0, 1, transform=bars.get_yaxis_transform(), color="#bbbbbb", linewidth=0.5)
    bars.xaxis.set_major_locator(MaxNLocator(2, steps=NUMBERS["steps"]))
    bars.set_yticks([])
    bars.set_xlabel(f"{measure}\nwith class identity", fontsize=7)
    sns.despine(ax=bars, left=True)
    colour_bar(axes, image, f"{measure} of two RDMs", (0, 1.02, 1, 0.025), location="top")
    layers = [label.removeprefix(group).strip() for label, group in zip(labels, groups, strict=True)]
    axes.set(xlabel="Network, its layers from shallow to deep", ylabel="Network and layer")
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
        handles[names[network]] = Line2D([], [], **look, markersize=5, linewidth=0.8)
    people = iter("Dd^vphX<>" * len(labels))
    for row in table[table["network"].isin(list(labels))].itertuples():
        mark = "*" if row.network == "classes" else next(people)
        colour = "#222222" if row.network == "classes" else "#0a7d3c"
        size = 11 if row.network == "classes" else 7
        (line,) = axes.plot(row.x, row.y, marker=mark, color=colour, markersize=size, linestyle="none")
        handles[labels[row.network]] = line
    axes.set(xticks=[], yticks=[])
    axes.margins(0.08)
    stress = table["stress"].max()
    axes.set_xlabel(f"Distance: how differently two RDMs order pairs of textures (stress {stress:.2f})")
    legend(figure, handles.values(), handles.keys(), loc="outside right upper", labelspacing=0.6)
    return figure
