"""Figures of the mutual information of clusters and classes."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import DOUBLE, MARK, NUMBERS, legend, styled, table_styles
from texalign.tables import check_one_condition, natural

#: Legend of the band that shuffled classes give.
NULL = "shuffled classes"


@styled
def mutual_information_by_layer(mi, study=None):
    """Draw the mutual information of clusters and classes, by layer, for all networks (Fig. 2).

    Parameters
    ----------
    mi : DataFrame
        The tidy table, of one readout, clustering and number of clusters: network, label, family,
        weights, layer, mi_bits, mi_std_bits, h_class_bits; with ``mi_null_bits`` (and
        ``mi_null_std_bits``) the band that shuffled classes give is drawn too.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        Error bars are one posterior standard deviation.
    """
    check_one_condition(mi)
    styles, names = table_styles(mi, study)
    layers = sorted(mi["layer"].unique(), key=natural)
    place = {layer: i for i, layer in enumerate(layers)}
    figure = Figure(figsize=(DOUBLE, 3.9), layout="constrained")
    axes = figure.add_subplot()
    aside = np.linspace(-0.2, 0.2, len(styles)) if len(styles) > 1 else [0]
    handles = {}
    for offset, (network, look) in zip(aside, styles.items(), strict=True):
        rows = mi[mi["network"] == network]
        rows = rows.assign(x=rows["layer"].map(place)).sort_values("x")
        look = {**look, **MARK, "elinewidth": 0.8, "linewidth": 0.8}
        handles[names[network]] = axes.errorbar(
            rows["x"] + offset, rows["mi_bits"], rows["mi_std_bits"], **look
        )
    bound = mi["h_class_bits"].max()
    axes.axhline(bound, color="#222222", linestyle=(0, (6, 3)), linewidth=0.8)
    axes.text(-0.4, 0.985 * bound, f"bound: H(class) = {bound:.2f} bits", va="top", fontsize=7)
    if band := _null_band(axes, mi, layers):
        handles[NULL] = band
    axes.set(xlabel="Layer (number, from shallow to deep)", ylabel="Mutual information (bits)")
    axes.set_xticks(range(len(layers)), layers)
    axes.yaxis.set_major_locator(MaxNLocator(7, **NUMBERS))
    axes.set(xlim=(-0.45, len(layers) - 0.55), ylim=(min(0, axes.get_ylim()[0]), 1.06 * bound))
    place = {"loc": "outside right upper", "handlelength": 2.6, "labelspacing": 0.6}
    legend(figure, handles.values(), handles.keys(), **place)
    sns.despine(fig=figure)
    return figure


def _null_band(axes, mi, layers):
    if "mi_null_bits" not in mi or mi["mi_null_bits"].isna().all():
        return None
    spread = 2 * mi["mi_null_std_bits"].fillna(0) if "mi_null_std_bits" in mi else 0
    low = (mi["mi_null_bits"] - spread).groupby(mi["layer"]).min().reindex(layers).to_numpy()
    high = (mi["mi_null_bits"] + spread).groupby(mi["layer"]).max().reindex(layers).to_numpy()
    x = np.arange(len(layers))
    x, low, high = np.r_[-0.45, x, x[-1] + 0.45], low[[0, *x, -1]], high[[0, *x, -1]]
    return axes.fill_between(x, low, high, color="#999999", alpha=0.35, linewidth=0.8)
