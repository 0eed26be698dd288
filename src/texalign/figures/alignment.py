"""Figures of mutual information against Brain-Score."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import (
    DOUBLE,
    MARK,
    NUMBERS,
    bar_of,
    colour_bar,
    frameless,
    legend_place,
    network_legend,
    plain,
    styled,
    table_styles,
)

#: Networks from which on a line is fitted and r has an interval.
FITTED = 4


@styled
def brainscore_panels(joined, correlations, study=None):
    """Draw each network's best mutual information against each of its scores (Fig. 3).

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
        Error bars are one posterior standard deviation; the line is the least-squares fit, from four
        networks on. A score that no network has gets no panel.
    """
    styles, names = table_styles(joined, study)
    table, statistics = joined.set_index("network"), correlations.set_index("metric")
    metrics = [metric for metric in statistics.index if table[metric].notna().any()]
    lines = max(1, -(-(len(metrics) + 1) // 4))
    columns = min(4, len(metrics) + 1)
    below, higher = legend_place(len(styles))
    height = 2.4 * lines if lines > 1 else 3.2
    figure = Figure(figsize=(DOUBLE, height + higher), layout="constrained")
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(metrics) : -1]:
        axes.set_axis_off()
    for axes, metric in zip(grid.flat, metrics, strict=False):
        _panel(axes, table, metric, statistics.loc[metric], styles)
    if not metrics:
        figure.suptitle("No network of this study has a score.", fontsize=8)
    for axes in grid[:, 0]:
        axes.set_ylabel("Best mutual information (bits)" if metrics else "")
        axes.yaxis.set_major_locator(MaxNLocator(5, **NUMBERS))
    for axes in grid.flat:
        axes.tick_params(labelleft=axes in grid[:, 0])
    grid.flat[-1].set_axis_off()
    inside = {"loc": "upper left", "bbox_to_anchor": (-0.1, 1.15), "borderaxespad": 0, "fontsize": 6.5}
    owner, place = (figure, below) if higher else (grid.flat[-1], inside)
    place |= {"handletextpad": 0.2, "labelspacing": 0.45}
    _scored_legend(owner, table["scored"], styles, names, place)
    return figure


def _panel(axes, table, metric, statistic, styles):
    rows = table[table[metric].notna()]
    for network, row in rows.iterrows():
        look = {**styles[network], **MARK, "elinewidth": 0.8, "linestyle": "none"}
        axes.errorbar(row[metric], row["mi_bits"], row["mi_std_bits"], **look)
    within = " (score, 0 to 1)" if rows[metric].between(0, 1).all() else ""
    axes.set_xlabel(f"{plain(metric.replace('_', ' '))}{within}", fontsize=7)
    axes.margins(0.12)
    axes.xaxis.set_major_locator(MaxNLocator(4, **NUMBERS))
    axes.set_title(_statistics_text(statistic), fontsize=7, loc="left", linespacing=1.3)
    if len(rows) == 1:  # else the axis would span a thousandth
        axes.set_xlim(rows[metric].item() - 0.1, rows[metric].item() + 0.1)
    elif len(rows) >= FITTED and not np.isnan(statistic["pearson_r"]):
        ends = np.array([rows[metric].min(), rows[metric].max()])
        line = np.polynomial.Polynomial.fit(rows[metric], rows["mi_bits"], 1)
        axes.plot(ends, line(ends), color="#222222", linewidth=0.8, zorder=1)


def _statistics_text(statistic):
    numbers = statistic[["pearson_r", "ci_low", "ci_high"]].astype(float).round(2) + 0.0  # no "-0.00"
    r, low, high = (f"{number:.2f}".replace("-", "−") for number in numbers)
    n = int(statistic["n"])
    if np.isnan(statistic["pearson_r"]):
        return f"$n$ = {n}: no correlation\ncan be computed"
    interval = "no CI below $n$ = 4" if n < FITTED else f"95 % CI {low} to {high}"
    p, holm = _p_text(statistic["p_value"]), _p_text(statistic["p_holm"]).removeprefix("= ")
    return f"$r$ = {r}, $n$ = {n}\n{interval}\n$p$ {p}, by Holm {holm}"


def _p_text(p):
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def _scored_legend(owner, scored, styles, names, place):
    handles = {
        network: Line2D([], [], **{**look, **MARK, "linestyle": "none"}) for network, look in styles.items()
    }
    network_legend(
        owner,
        handles,
        styles,
        {network: names[network] + ("" if scored[network] else " †") for network in styles},
        {"± 1 posterior s.d.": bar_of()},
        title=None if scored.all() else "† no Brain-Score",
        alignment="left",
        **place,
    )


@styled
def correlation_by_layer(uncertainty):
    """Draw the correlation with each score for the best layer and for every layer: a path that was chosen.

    Parameters
    ----------
    uncertainty : DataFrame
        As `texalign.alignment.uncertainty` returns it.

    Returns
    -------
    Figure
        In each cell r, with the p-value over all orders of the networks below it. The title says what can be
        found with so few networks.
    """
    rows = uncertainty[uncertainty["pearson_r"].notna()]
    figure = Figure(figsize=(DOUBLE, 1.5 + 0.36 * max(rows["metric"].nunique(), 2)), layout="constrained")
    axes = figure.add_subplot()
    frameless(axes)
    if rows.empty:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no correlation can be computed", ha="center", va="center")
        return figure
    metrics, layers = list(rows["metric"].unique()), list(rows["layer"].unique())
    table = rows.pivot(index="metric", columns="layer", values="pearson_r").loc[metrics, layers]
    image = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", rasterized=True)
    for row in rows.itertuples():
        p = "< 0.001" if row.p_permutation < 0.001 else f"= {row.p_permutation:.2g}"
        text = f"{row.pearson_r:.2f}\n$p$ {p}".replace("-", "−")
        colour = "white" if abs(row.pearson_r) > 0.65 else "#222222"
        place = layers.index(row.layer), metrics.index(row.metric)
        axes.text(*place, text, ha="center", va="center", fontsize=6, color=colour, linespacing=1.2)
    axes.set_xticks(range(len(layers)), layers)
    axes.set_yticks(range(len(metrics)), [plain(metric.replace("_", " ")) for metric in metrics])
    axes.tick_params(length=0)
    axes.set_xlabel("Layer")
    colour_bar(axes, image, "Correlation $r$", place=(1.02, 0, 0.02, 1))
    axes.set_title(_power_text(rows), fontsize=7, loc="left")
    return figure


def _power_text(rows):
    best = rows[rows["n"] == rows["n"].max()].iloc[0]
    if np.isnan(best["r_detectable"]):
        return f"{best['n']} networks: too few to find anything"
    return (
        f"With {best['n']} networks, a true $r$ of 0.5 is found {100 * best['power_half']:.0f} times in 100; "
        f"80 times in 100 only one of {best['r_detectable']:.2f} or more"
    )


@styled
def published_against_ours(table):
    """Draw the papers' correlation with each score beside this study's, with their intervals.

    Parameters
    ----------
    table : DataFrame
        As `texalign.alignment.against_published` returns it, at least one row.

    Returns
    -------
    Figure
        A row a score. Intervals are Fisher's, 95 %; on the right, both r and their difference.
    """
    figure = Figure(figsize=(DOUBLE, 1.1 + 0.34 * len(table)), layout="constrained")
    axes, texts = figure.subplots(1, 2, sharey=True, width_ratios=[2.4, 1])
    rows = np.arange(len(table))
    looks = {
        "published": ("published_r", "published_low", "published_high", -0.14, "white"),
        "this study": ("pearson_r", "ci_low", "ci_high", 0.14, "#0173b2"),
    }
    for name, (r, low, high, shift, face) in looks.items():
        sides = np.abs(table[[low, high]].to_numpy().T - table[r].to_numpy())
        look = {"fmt": "o", "color": "#0173b2" if shift > 0 else "#222222", "markerfacecolor": face}
        axes.errorbar(table[r], rows + shift, xerr=sides, label=name, elinewidth=0.8, **look, **MARK)
    axes.axvline(0, color="#222222", linewidth=0.6, zorder=0)
    axes.set_yticks(rows, [plain(metric.replace("_", " ")) for metric in table["metric"]])
    axes.set(xlim=(-1, 1), ylim=(len(table) - 0.5, -0.5), xlabel="Correlation $r$, with its 95 % interval")
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handletextpad=0.3)
    texts.set_axis_off()
    texts.set_title("published → this study (difference)", fontsize=7, loc="left")
    columns = ["published_r", "pearson_r", "r_difference"]
    for row in (table[columns].round(2) + 0.0).reset_index().itertuples():  # no "-0.00"
        text = f"{row.published_r:.2f} → {row.pearson_r:.2f}  ({row.r_difference:+.2f})"
        text = "not in this study" if np.isnan(row.pearson_r) else text.replace("-", "−")
        texts.text(0, row.Index, text, va="center", fontsize=7)
    return figure
