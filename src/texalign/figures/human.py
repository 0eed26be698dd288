"""Figures of networks held against people."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from texalign import views
from texalign.figures.style import DOUBLE, NUMBERS, network_legend, plain, styled, table_styles
from texalign.tables import natural

#: What is compared, in titles.
LEVELS = {"image": "of images", "class": "of classes"}
CEILING = {"color": "#0a7d3c", "linewidth": 1.2}
CLASSES = {"color": "#222222", "linewidth": 0.9, "linestyle": "-."}
CHANCE = {"color": "#999999", "linewidth": 0.9, "linestyle": ":"}


@styled
def agreement_by_layer(table, study=None, labels=None):
    """Draw how far each layer agrees with people, for every reference, images above and classes below.

    Parameters
    ----------
    table : DataFrame
        The study's ``human.csv``.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.
    labels : dict of str to str, optional
        Names of the references.

    Returns
    -------
    Figure
        With the ceiling of people's own agreement, the classes themselves as a model, and chance.
    """
    networks = table[~table["family"].isin(["people", "images", "classes"])]
    styles, names = table_styles(networks, study)
    sizes = {"markersize": 3.5, "linewidth": 0.8}
    layers = sorted(networks["layer"].unique(), key=natural)
    place = {layer: i for i, layer in enumerate(layers)}
    shown = list(dict.fromkeys(zip(table["reference"], table["words"], strict=True)))
    levels = [level for level in LEVELS if (table["level"] == level).any()]
    width = max(DOUBLE, 1.6 + 1.9 * len(shown))
    figure = Figure(figsize=(width, 0.9 + 2.1 * len(levels)), layout="constrained")
    grid = figure.subplots(len(levels), len(shown), sharex=True, squeeze=False)
    for row, level in enumerate(levels):
        for column, (reference, words) in enumerate(shown):
            axes = grid[row, column]
            rows = table[
                (table["reference"] == reference) & (table["words"] == words) & (table["level"] == level)
            ]
            if rows.empty:
                axes.set_axis_off()
                continue
            for network, look in styles.items():
                own = rows[rows["network"] == network]
                own = own.assign(x=own["layer"].map(place)).sort_values("x")
                axes.plot(own["x"], own["score"], **look, **sizes)
            choices = words == "choices"
            ceiling = rows["ceiling_high" if choices else "ceiling"].iloc[0]
            for value, look in (
                (ceiling, CEILING),
                (rows.loc[rows["network"] == "classes", "score"].mean(), CLASSES),
                (1 / 3 if choices else 0, CHANCE),
            ):
                if np.isfinite(value):
                    axes.axhline(value, **look)
            name = views.shorten([(labels or {}).get(reference, reference)], 24)[0]
            axes.set_title(f"{plain(name)}: {words}\n{LEVELS[level]}", fontsize=7)
            axes.set_xticks(range(len(layers)), layers)
            axes.set(
                xlim=(-0.4, len(layers) - 0.6), ylabel="Share predicted" if choices else "Rank correlation"
            )
            axes.yaxis.set_major_locator(MaxNLocator(5, **NUMBERS))
    lines = {network: Line2D([], [], **look, markersize=4) for network, look in styles.items()}
    ends = {"people's own agreement": CEILING, "the classes as a model": CLASSES, "chance": CHANCE}
    further = {text: Line2D([], [], **look) for text, look in ends.items()}
    place = {"loc": "outside right upper", "handlelength": 2.6}
    network_legend(figure, lines, styles, names, further, **place)
    return figure
