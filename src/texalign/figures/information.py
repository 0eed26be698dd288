"""Figures of the mutual information of clusters and classes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import (
    CHANCE,
    DOUBLE,
    MARK,
    NUMBERS,
    bar_of,
    legend_place,
    network_legend,
    styled,
    table_styles,
)
from texalign.tables import check_one_condition, natural

#: Legend of the band that shuffled classes give, and of error bars.
NULL = "shuffled classes ± 2 s.d."
BARS = {False: "± 1 posterior s.d.", True: "95 % interval"}


@styled
def mutual_information_by_layer(mi, study=None, intervals=False):
    """Draw the mutual information of clusters and classes, by layer, for all networks (Fig. 2).

    Parameters
    ----------
    mi : DataFrame
        The tidy table, of one readout, clustering and number of clusters: network, label, family,
        weights, layer, mi_bits, mi_std_bits, h_class_bits; with ``mi_null_bits`` (and
        ``mi_null_std_bits``) the band that shuffled classes give is drawn too.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.
    intervals : bool
        Draw ``mi_corrected_bits`` with the interval from ``mi_low_bits`` to ``mi_high_bits`` instead.

    Returns
    -------
    Figure
        Error bars are one posterior standard deviation, which is no interval, or the calibrated 95 %
        intervals.
    """
    check_one_condition(mi)
    styles, names = table_styles(mi, study)
    layers = sorted(mi["layer"].unique(), key=natural)
    place = {layer: i for i, layer in enumerate(layers)}
    aside, higher = legend_place(len(styles))
    figure = Figure(figsize=(DOUBLE, 3.9 + higher), layout="constrained")
    axes = figure.add_subplot()
    offsets = np.linspace(-0.2, 0.2, len(styles)) if len(styles) > 1 else [0]
    handles = {}
    for offset, (network, look) in zip(offsets, styles.items(), strict=True):
        rows = mi[mi["network"] == network]
        rows = rows.assign(x=rows["layer"].map(place)).sort_values("x")
        look = {**look, **MARK, "elinewidth": 0.8, "linewidth": 0.8}
        if intervals:
            look |= {"markersize": 4, "capsize": 1.5, "linewidth": 0.4}
        handles[network] = axes.errorbar(rows["x"] + offset, *_bits(rows, intervals), **look)
    bound = mi["h_class_bits"].max()
    axes.axhline(bound, color="#222222", linestyle=(0, (6, 3)), linewidth=0.8)
    axes.text(-0.4, 0.985 * bound, f"bound: H(class) = {bound:.2f} bits", va="top", fontsize=7)
    further = {BARS[intervals]: bar_of()}
    if band := _null_band(axes, mi, layers):
        further[NULL] = band
    label = "Mutual information, bias-corrected (bits)" if intervals else "Mutual information (bits)"
    axes.set(xlabel="Layer (number, from shallow to deep)", ylabel=label)
    axes.set_xticks(range(len(layers)), layers)
    axes.yaxis.set_major_locator(MaxNLocator(7, **NUMBERS))
    axes.set(xlim=(-0.45, len(layers) - 0.55), ylim=(min(0, axes.get_ylim()[0]), 1.06 * bound))
    network_legend(figure, handles, styles, names, further, **aside)
    return figure


def _bits(rows, intervals):
    """Values and lengths of their error bars."""
    if not intervals:
        return rows["mi_bits"], rows["mi_std_bits"]
    middle = rows["mi_corrected_bits"]
    return middle, np.stack([middle - rows["mi_low_bits"], rows["mi_high_bits"] - middle])


@styled
def information_by_clusters(by_k, best, study=None, asked=None):
    """Draw how information grows with the number of clusters, at each network's best layer.

    Parameters
    ----------
    by_k : DataFrame
        network, label, family, weights, layer, k, n_classes, mi_bits, adjusted_mutual_information.
    best : DataFrame
        As `texalign.tables.best_layers` returns it.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.
    asked : DataFrame, optional
        network, layer, k, mi_bits, mi_low_bits, mi_high_bits, adjusted_mutual_information: the
        numbers of clusters that the study asks for, which get markers.

    Returns
    -------
    Figure
        Left in bits, which rise with the number of clusters by themselves; right corrected for chance.
    """
    styles, names = table_styles(by_k, study)
    rows = _of_best(by_k, best)
    aside, higher = legend_place(len(styles))
    figure, handles, further = Figure(figsize=(DOUBLE, 3.2 + higher), layout="constrained"), {}, {}
    panels = {"mi_bits": "Mutual information (bits)", "adjusted_mutual_information": "Adjusted for chance"}
    for axes, (column, label) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for network, look in styles.items():
            one = rows[rows["network"] == network].sort_values("k")
            look = {**look, "linewidth": 0.9}
            handles[network] = axes.plot(one["k"], one[column], **look | {"marker": None})[0]
            if asked is not None:
                one = _of_best(asked, best)
                _asked_for(axes, one[one["network"] == network], column, look)
        for n_classes in rows["n_classes"].unique():
            line = axes.axvline(n_classes, color="#222222", linestyle=":", linewidth=0.8)
            further["as many as classes"] = line
        axes.set(xlabel="Clusters (number)", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(6, **NUMBERS))
        axes.yaxis.set_major_locator(MaxNLocator(6, **NUMBERS))
    if asked is not None:
        handles = {network: Line2D([], [], **look | MARK) for network, look in styles.items()}
        further["95 % interval"] = bar_of()
    network_legend(figure, handles, styles, names, further, **aside)
    return figure


def _of_best(table, best):
    return table.merge(best[["network", "layer"]], on=["network", "layer"])


def _asked_for(axes, rows, column, look):
    """Mark the numbers of clusters that were asked for, where there are bits with their intervals."""
    bars = None
    if column == "mi_bits":
        ends = np.stack([rows[column] - rows["mi_low_bits"], rows["mi_high_bits"] - rows[column]])
        bars = np.maximum(ends, 0)
    axes.errorbar(rows["k"], rows[column], bars, **look | MARK | {"linestyle": "none", "elinewidth": 0.8})


def _null_band(axes, mi, layers):
    if "mi_null_bits" not in mi or mi["mi_null_bits"].isna().all():
        return None
    spread = 2 * mi["mi_null_std_bits"].fillna(0) if "mi_null_std_bits" in mi else 0
    low = (mi["mi_null_bits"] - spread).groupby(mi["layer"]).min().reindex(layers).to_numpy()
    high = (mi["mi_null_bits"] + spread).groupby(mi["layer"]).max().reindex(layers).to_numpy()
    x = np.arange(len(layers))
    x, low, high = np.r_[-0.45, x, x[-1] + 0.45], low[[0, *x, -1]], high[[0, *x, -1]]
    return axes.fill_between(x, low, high, color=CHANCE, alpha=0.35, linewidth=0.8)
