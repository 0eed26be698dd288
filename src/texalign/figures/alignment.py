"""Figures of mutual information against Brain-Score."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign.brainscore import METRICS
from texalign.figures.style import DOUBLE, MARK, NUMBERS, legend, styled, table_styles


@styled
def brainscore_panels(joined, correlations, study=None):
    """Draw each network's best mutual information against its seven Brain-Scores (Fig. 3).

    Parameters
    ----------
    joined : DataFrame
        As `texalign.alignment.join_scores` returns it.
    correlations : DataFrame
        As `texalign.alignment.correlate` returns it.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        Error bars are one posterior standard deviation; the line is the least-squares fit.
    """
    styles, names = table_styles(joined, study)
    table, statistics = joined.set_index("network"), correlations.set_index("metric")
    figure = Figure(figsize=(DOUBLE, 4.6), layout="constrained")
    grid = figure.subplots(2, 4, sharey=True)
    for axes, metric in zip(grid.flat, METRICS, strict=False):
        _panel(axes, table, metric, statistics.loc[metric], styles)
    for axes in grid[:, 0]:
        axes.set_ylabel("Best mutual information (bits)")
        axes.yaxis.set_major_locator(MaxNLocator(5, **NUMBERS))
    if not table["scored"].any():
        grid[0, 0].set_ylim(0, 1)
    for axes in grid.flat:
        axes.tick_params(labelleft=axes in grid[:, 0])
    _panel_legend(grid.flat[-1], table["scored"], styles, names)
    sns.despine(fig=figure)
    return figure


def _panel(axes, table, metric, statistic, styles):
    rows = table[table[metric].notna()]
    for network, row in rows.iterrows():
        look = {**styles[network], **MARK, "elinewidth": 0.8, "linestyle": "none"}
        axes.errorbar(row[metric], row["mi_bits"], row["mi_std_bits"], **look)
    axes.set_xlabel(f"{metric.replace('_', ' ')} (score, 0 to 1)", fontsize=7)
    axes.margins(0.12)
    axes.xaxis.set_major_locator(MaxNLocator(4, **NUMBERS))
    axes.set_title(_statistics_text(statistic), fontsize=7, loc="left", linespacing=1.3)
    if rows.empty:
        axes.set_xlim(0, 1)
        axes.text(0.5, 0.5, "no network\nwith scores", transform=axes.transAxes, ha="center", va="center")
    elif len(rows) == 1:  # else the axis would span a thousandth
        axes.set_xlim(rows[metric].item() - 0.1, rows[metric].item() + 0.1)
    elif not np.isnan(statistic["pearson_r"]):
        ends = np.array([rows[metric].min(), rows[metric].max()])
        line = np.polynomial.Polynomial.fit(rows[metric], rows["mi_bits"], 1)
        axes.plot(ends, line(ends), color="#222222", linewidth=0.8, zorder=1)


def _statistics_text(statistic):
    numbers = statistic[["pearson_r", "ci_low", "ci_high"]].astype(float).round(2) + 0.0  # no "-0.00"
    r, low, high = (f"{number:.2f}".replace("-", "−") for number in numbers)
    p, n = statistic["p_value"], int(statistic["n"])
    if np.isnan(statistic["pearson_r"]):
        return f"$n$ = {n}: no correlation\ncan be computed"
    p = "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"
    interval = "95 % CI: needs $n$ ≥ 4" if n < 4 else f"95 % CI {low} to {high}"
    return f"$r$ = {r}, $p$ {p}, $n$ = {n}\n{interval}"


def _panel_legend(axes, scored, styles, names):
    axes.set_axis_off()
    handles = [Line2D([], [], **{**look, **MARK, "linestyle": "none"}) for look in styles.values()]
    legend(
        axes,
        handles,
        [names[network] + ("" if scored[network] else " †") for network in styles],
        title=None if scored.all() else "† no Brain-Score",
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(-0.1, 1.15),
        borderaxespad=0,
        handletextpad=0.2,
        labelspacing=0.45,
        fontsize=6.5,
        ncols=-(-len(handles) // 16),
    )
