"""Figure of representations: which of them tells more of the classes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign import views
from texalign.figures.style import DOUBLE, NUMBERS, hues, legend, plain, styled, table_styles
from texalign.tables import natural

#: Names of representations for people, with colours and markers of their own.
NAMES = {
    "gram": "Gram matrix",
    "covariance": "covariance",
    "correlation": "correlation",
    "mean": "mean",
    "mean_std": "mean and s.d.",
    "log_gram": "log Gram matrix",
    "sliced_wasserstein": "sliced Wasserstein",
}
MARKERS = dict(zip(NAMES, "osD^vPX", strict=True))

#: Panels of networks in a row.
ACROSS = 3


def colours():
    """Give each representation its colour."""
    return dict(zip(NAMES, ["#222222", *hues()[:6]], strict=True))


@styled
def beside_gram(table, study=None):
    """Draw what each representation tells beyond Gram matrices, and the information of each by layer.

    Parameters
    ----------
    table : DataFrame
        representation, network, label, family, weights, layer, n, mi_bits, gram_mi_bits, h_class_bits.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
    """
    styles, names = table_styles(table, study)
    shown = list(dict.fromkeys(table["representation"]))
    rows = -(-len(styles) // ACROSS)
    figure = Figure(figsize=(DOUBLE, 1.1 + max(1.5 * rows, 0.3 * len(shown) + 0.6)), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=[1, 1.5])
    _differences(figure.add_subplot(grid[0]), table, styles, shown)
    panels = grid[1].subgridspec(rows, min(ACROSS, len(styles)))
    layers = sorted(table["layer"].unique(), key=natural)
    bound, low = table["h_class_bits"].max(), min(0, table["mi_bits"].min())
    for i, network in enumerate(styles):
        axes = figure.add_subplot(panels[i // ACROSS, i % ACROSS])
        for name in shown:
            part = table[(table["network"] == network) & (table["representation"] == name)]
            x = part["layer"].map({layer: i for i, layer in enumerate(layers)})
            look = {"color": colours()[name], "marker": MARKERS[name], "markersize": 2.5, "linewidth": 0.8}
            axes.plot(x, part["mi_bits"], **look)
        title = plain(views.shorten([names[network]])[0]).replace(" (", "\n(")
        axes.set_title(title, fontsize=6, loc="left", x=0.1)
        mark = {key: styles[network][key] for key in ("color", "marker", "markerfacecolor")}
        axes.plot(0.03, 1.07, transform=axes.transAxes, markersize=4, clip_on=False, linestyle="none", **mark)
        axes.set(xlim=(-0.3, len(layers) - 0.7), ylim=(low, 1.05 * bound))
        axes.axhline(bound, color="#222222", linestyle=(0, (6, 3)), linewidth=0.6)
        axes.set_xticks(range(len(layers)), layers if i >= len(styles) - ACROSS else [], fontsize=6)
        axes.yaxis.set_major_locator(MaxNLocator(3, **NUMBERS))
        axes.set_ylabel("bits" if i % ACROSS == 0 else "", fontsize=7)
        axes.tick_params(labelleft=i % ACROSS == 0)
    lines = [Line2D([], [], color=colours()[name], marker=MARKERS[name], markersize=3.5) for name in shown]
    lines.append(Line2D([], [], color="#222222", linestyle=(0, (6, 3)), linewidth=0.6))
    place = {"loc": "outside upper right", "ncols": 4, "handlelength": 1.8, "columnspacing": 1.2}
    legend(figure, lines, [*(NAMES[name] for name in shown), f"H(class) = {bound:.2f} bits"], **place)
    return figure


def _differences(axes, table, styles, shown):
    best = table.groupby(["representation", "network"])[["mi_bits", "gram_mi_bits"]].max()
    beyond = (best["mi_bits"] - best["gram_mi_bits"]).unstack().reindex(columns=list(styles))
    hollow = {network: look["markerfacecolor"] == "white" for network, look in styles.items()}
    trained = [network for network in styles if not hollow[network]] or list(styles)
    names = [name for name in shown if name != "gram"]
    for i, name in enumerate(names):
        spread = np.linspace(-0.25, 0.25, len(styles)) if len(styles) > 1 else [0]
        for (network, look), aside in zip(styles.items(), spread, strict=True):
            marker = {key: look[key] for key in ("color", "marker", "markerfacecolor")}
            axes.plot(beyond.loc[name, network], i + aside, markersize=4, linestyle="none", **marker)
        axes.vlines(beyond.loc[name, trained].mean(), i - 0.36, i + 0.36, color=colours()[name], linewidth=2)
    axes.axvline(0, color="#222222", linewidth=0.6)
    sizes = table.groupby("representation")["n"].max()
    labels = [
        NAMES[name] + ("" if sizes[name] == sizes.max() else f"\n({sizes[name]} textures)") for name in names
    ]
    axes.set_yticks(range(len(names)), labels)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="Best layer's information\nbeyond Gram matrices (bits)")
    axes.xaxis.set_major_locator(MaxNLocator(4, **NUMBERS))
    axes.tick_params("y", length=0)
