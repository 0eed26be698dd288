"""Figure of linear decoding."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from texalign.figures.style import DOUBLE, MARK, NUMBERS, bar_of, network_legend, styled, table_styles
from texalign.tables import natural

#: Legend of the share of the commonest label.
CHANCE = "commonest label"


@styled
def accuracy_by_layer(table, study=None):
    """Draw the accuracy of linear decoding by layer, for all networks.

    Parameters
    ----------
    table : DataFrame
        network, label, family, weights, layer, accuracy, accuracy_low, accuracy_high, chance.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        Error bars are 95 % intervals over the splits. Baselines without a network are lines.
    """
    images = table[table["family"] == "images"]
    table = table[table["family"] != "images"]
    styles, names = table_styles(table, study)
    layers = sorted(table["layer"].unique(), key=natural)
    place = {layer: i for i, layer in enumerate(layers)}
    figure = Figure(figsize=(DOUBLE, 3.9), layout="constrained")
    axes = figure.add_subplot()
    aside = np.linspace(-0.2, 0.2, len(styles)) if len(styles) > 1 else [0]
    handles, further = {}, {"95 % interval": bar_of()}
    for offset, (network, look) in zip(aside, styles.items(), strict=True):
        rows = table[table["network"] == network]
        rows = rows.assign(x=rows["layer"].map(place)).sort_values("x")
        bars = np.stack([rows["accuracy"] - rows["accuracy_low"], rows["accuracy_high"] - rows["accuracy"]])
        look = {**look, **MARK, "elinewidth": 0.8, "linewidth": 0.8}
        handles[network] = axes.errorbar(rows["x"] + offset, rows["accuracy"], bars, **look)
    for i, row in enumerate(images.itertuples()):
        dashes = ((0, (6, 2)), (0, (2, 2)), (0, (6, 2, 1, 2)))[i % 3]
        further[row.label] = axes.axhline(row.accuracy, color="#777777", linestyle=dashes, linewidth=0.8)
    chance = table["chance"].max()
    further[CHANCE] = axes.axhline(chance, color="#222222", linestyle=":", linewidth=1)
    axes.set(xlabel="Layer (number, from shallow to deep)", ylabel="Accuracy of a linear classifier")
    axes.set_xticks(range(len(layers)), layers)
    axes.set(xlim=(-0.45, len(layers) - 0.55), ylim=(0, 1.02))
    axes.yaxis.set_major_locator(MaxNLocator(6, **NUMBERS))
    where = {"loc": "outside right upper", "handlelength": 2.6, "labelspacing": 0.6}
    network_legend(figure, handles, styles, names, further, **where)
    return figure
