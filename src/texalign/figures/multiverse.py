"""Figures of the result under many sets of choices."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import DOUBLE, NUMBERS, frameless, hues, plain, styled

#: Short names of choices, where there is little room.
NAMES = {
    "clustering": "Ward on",
    "normalisation": "input",
    "bn_warmup": "BN warm-up",
    "representation": "repr.",
}


@styled
def specification_curve(order, mean, null, effects):
    """Draw information and correlations under every specification, in the order of the mean correlation.

    Parameters
    ----------
    order : texalign.views.Specifications
    mean, null : DataFrame
        Of a `texalign.statistics.curve.Curve`.
    effects : DataFrame
        As `texalign.statistics.curve.effects` gives it.

    Returns
    -------
    Figure
    """
    lines = sum(len(values) for _, values in order.choices)
    figure = Figure(figsize=(DOUBLE, 4.3 + 0.12 * lines), layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=[1.3, 2, 0.115 * lines + 0.4], width_ratios=[4.6, 1])
    top, middle, bottom = (figure.add_subplot(grid[i, 0]) for i in range(3))
    x = np.arange(len(order.names))
    networks = top.plot(x, order.bits.to_numpy(), color="#999999", linewidth=0.6)
    top.plot(x, order.bits.mean(axis=1), color="#222222", linewidth=1.2)
    top.set_ylabel("Best information\n(bits)")
    top.yaxis.set_major_locator(MaxNLocator(4, **NUMBERS))
    _correlations(middle, order, mean)
    for axes in (top, middle):
        axes.set_xlim(-0.6, len(x) - 0.4)
        axes.set_xticks([])
    _choices(bottom, order)
    middle.set_title(_null_text(null), fontsize=7, loc="left")
    legend = figure.add_subplot(grid[:2, 1])
    legend.set_axis_off()
    handles, labels = middle.get_legend_handles_labels()
    handles, labels = [*networks[:1], *handles], ["each network", *labels]
    legend.legend(handles, labels, loc="center left", borderaxespad=0, handlelength=1.2)
    _effects(figure.add_subplot(grid[2, 1]), effects)
    frameless(bottom)
    return figure


def _correlations(axes, order, mean):
    x = np.arange(len(order.names))
    axes.axhline(0, color="#222222", linewidth=0.6)
    band = mean.set_index("specification").loc[order.names]
    axes.fill_between(
        x,
        band["null_low"],
        band["null_high"],
        color="#bbbbbb",
        alpha=0.5,
        linewidth=0,
        label="mean, permuted",
    )
    for i, metric in enumerate(order.correlations.columns):
        look = {"color": hues()[i % len(hues())], "marker": ".", "markersize": 2.5, "linewidth": 0}
        axes.plot(x, order.correlations[metric], label=plain(metric.replace("_", " ")), **look)
    axes.plot(x, band["mean_r"], color="#222222", linewidth=1.2, label="mean")
    axes.set(ylim=(-1.05, 1.05), ylabel="Correlation $r$")


def _choices(axes, order):
    names, row, edges = [], 0, []
    for axis, values in order.choices:
        for value, chosen in values.items():
            axes.plot(
                np.flatnonzero(chosen), np.full(chosen.sum(), row), ".", color="#222222", markersize=1.8
            )
            names.append(f"{NAMES.get(axis, axis)}: {value.replace('_', ' ')}")
            row += 1
        edges.append(row - 0.5)
    axes.set_yticks(range(row), names, fontsize=5)
    for edge in edges[:-1]:
        axes.axhline(edge, color="#dddddd", linewidth=0.5)
    axes.set(ylim=(max(row, 1) - 0.5, -0.5), xlim=(-0.6, len(order.names) - 0.4), xticks=[])
    axes.tick_params(length=0)
    axes.set_xlabel(f"{len(order.names)} sets of choices, by their mean correlation")


def _effects(axes, effects):
    axes.barh(np.arange(len(effects)), effects["r_change"], color="#888888", height=0.6)
    names = [NAMES.get(choice, choice) for choice in effects["choice"]]
    axes.set_yticks(range(len(effects)), names, fontsize=5)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, pad=1)
    axes.xaxis.set_major_locator(MaxNLocator(2))
    axes.set_xlabel("mean change of $r$", fontsize=6)


def _null_text(null):
    row = null.set_index("metric").loc["all"]
    if np.isnan(row["median_r"]):
        return "no correlation can be computed"
    p = f"{row['p_median_r']:.2f}" if row["p_median_r"] >= 0.01 else f"{row['p_median_r']:.2g}"
    return (
        f"median $r$ = {row['median_r']:.2f}, $p$ of the whole curve = {p} "
        f"({row['permutations']:.0f} permutations of the scores)"
    ).replace("= -", "= −")
