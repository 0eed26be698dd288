"""Figure of what people, images and networks tell of the classes, side by side."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign import views
from texalign.figures.style import DOUBLE, NUMBERS, bar_of, legend, plain, styled, table_styles

PEOPLE, IMAGES = "#0a7d3c", "#777777"


@styled
def beside_people(table, study=None):
    """Draw the information of people's descriptions, of images and of networks, a line each.

    Parameters
    ----------
    table : DataFrame
        The study's ``references.csv``.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        Best layers as markers with calibrated intervals, the layers that other networks choose as crosses.
    """
    measured = table[table["what"].isin(["network", "control"])]
    styles, names = table_styles(measured, study)
    lines = []
    for row in table[table["what"] == "people"].itertuples():
        lines.append((f"{row.label}: {row.module}", row, {"color": PEOPLE, "marker": "D"}, None))
    best = measured[measured["selection"] == "best"].sort_values("mi_corrected_bits", ascending=False)
    fixed = measured[measured["selection"] == "fixed"].set_index("network")["mi_corrected_bits"]
    for row in best.itertuples():
        look = {key: styles[row.network][key] for key in ("color", "marker", "markerfacecolor")}
        lines.append((f"{names[row.network]}, {row.layer}", row, look, fixed.get(row.network)))
    for row in table[table["what"] == "images"].itertuples():
        lines.append((row.label, row, {"color": IMAGES, "marker": "s"}, None))
    figure = Figure(figsize=(DOUBLE, 1.1 + 0.19 * len(lines)), layout="constrained")
    axes = figure.add_subplot()
    for i, (_, row, look, other) in enumerate(lines):
        middle = row.mi_corrected_bits
        bars = [[middle - row.mi_low_bits], [row.mi_high_bits - middle]]
        axes.errorbar(middle, i, xerr=bars, **look, markersize=4.5, elinewidth=0.8, linestyle="none")
        if other is not None:
            axes.plot(other, i, marker="x", color=look["color"], markersize=5, linestyle="none")
    bound = table["h_class_bits"].max()
    axes.axvline(bound, color="#222222", linestyle=(0, (6, 3)), linewidth=0.8)
    axes.axvline(0, color="#222222", linewidth=0.6)
    shown = views.shorten([line[0] for line in lines], 44)
    axes.set_yticks(range(len(lines)), list(map(plain, shown)))
    axes.tick_params("y", length=0)
    low = min(0, np.nanmin([line[1].mi_low_bits for line in lines]))
    axes.set(ylim=(len(lines) - 0.4, -0.6), xlim=(low - 0.02 * bound, 1.04 * bound))
    axes.set_xlabel("Mutual information with the classes, bias-corrected (bits)")
    axes.xaxis.set_major_locator(MaxNLocator(7, **NUMBERS))
    handles = [
        Line2D([], [], marker="o", color="#222222", linestyle="none", markersize=4.5),
        Line2D([], [], marker="x", color="#222222", linestyle="none", markersize=5),
        bar_of(marker="_"),
        Line2D([], [], color="#222222", linestyle=(0, (6, 3)), linewidth=0.8),
    ]
    texts = ["best layer", "layer chosen by the other networks", "95 % interval"]
    texts.append(f"H(class) = {bound:.2f} bits")
    legend(figure, handles, texts, loc="outside upper right", ncols=4, handlelength=1.8)
    return figure
