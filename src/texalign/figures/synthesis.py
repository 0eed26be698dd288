"""Figures of synthetic textures: grids, how losses fell, and how networks score each other's images."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from texalign.figures.style import (
    DOUBLE,
    MARK,
    MIDDLE,
    colour_bar,
    fit_names,
    frameless,
    legend,
    plain,
    styled,
    table_styles,
)
from texalign.views import shorten

#: Columns of a grid at least, so that few textures are not blown up.
COLUMNS = 5

#: Of a generator's loss, which no time changes.
LEVEL = {"color": "#666666", "linewidth": 1.4, "alpha": 0.7}

#: Lines of a DCGAN: column of the trace, colour, marker, and its loss where the judge guesses, over ln 2.
RIVALS = (("generator", "#0173b2", "o", 1), ("judge", "#de8f05", "s", 2))

#: Points of the certificate: column of the table, legend, colour, marker.
LEVELS = (
    ("initial_loss", "initial noise", "#999999", "x"),
    ("class_loss", "other images of the class", "#de8f05", "s"),
    ("crops_loss", "crops of the photograph", "#029e73", "v"),
    ("halves_loss", "halves of the exemplar", "#0173b2", "D"),
    ("loss", "synthetic image", "#222222", "o"),
)


@styled
def texture_grid(rows, labels, names):
    """Draw originals, and below them what was synthesised from them (Fig. 4).

    Parameters
    ----------
    rows : list of list of (array or None)
        One row of images, uint8 (H, W, 3), for each label; a cell stays empty where there is none.
    labels : sequence of str
        Of the rows: the originals first.
    names : sequence of str
        Of the columns, the textures.

    Returns
    -------
    Figure
        Each image as large as its pixels' shape allows, none resampled but by the page.
    """
    cell = (DOUBLE - 1.1) / max(COLUMNS, len(names))
    shape = np.array([image.shape[:2] for image in rows[0] if image is not None]).max(axis=0)
    size = (1.1 + cell * len(names), 0.3 + cell * len(rows) * shape[0] / shape[1])
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    grid = figure.subplots(len(rows), len(names), squeeze=False)
    for line, label, images in zip(grid, shorten(labels, 44), rows, strict=True):
        for axes, image in zip(line, images, strict=True):
            if image is not None:
                axes.imshow(image, interpolation="antialiased")
            axes.set(xticks=[], yticks=[])
            frameless(axes)
        label = plain(label).replace(" (", "\n(")
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=7, labelpad=4)
    for axes, name in zip(grid[0], shorten(names, 20), strict=True):
        axes.set_title(plain(name), fontsize=7)
    return figure


@styled
def sample_sheet(exemplar, sheets, trace, most=6):
    """Draw how a generator's samples of held-out noise changed while it learned, and its loss and diversity.

    Parameters
    ----------
    exemplar : array, uint8, shape (H, W, 3)
    sheets : dict of int to array
        Samples by iteration, uint8, shape (n, H, W, 3).
    trace : list of dict
        iteration, held_out_loss, diversity of each look.
    most : int
        Iterations that are shown, spread over all, with the kept one among them.

    Returns
    -------
    Figure
    """
    losses = [row["held_out_loss"] for row in trace]
    kept = trace[int(np.nanargmin(losses))]["iteration"]
    every = sorted(sheets)
    chosen = {every[round(i)] for i in np.linspace(0, len(every) - 1, min(most, len(every)))} | {kept}
    rows = min(3, len(sheets[kept]))
    figure = Figure(figsize=(DOUBLE, 0.55 + 0.9 * rows + 1.7), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(0.55 + 0.9 * rows, 1.7))
    grid = above.subplots(rows, len(chosen) + 1, squeeze=False)
    for line, axes_of_line in enumerate(grid):
        shown = [exemplar if line == 0 else None, *(sheets[number][line] for number in sorted(chosen))]
        for axes, image in zip(axes_of_line, shown, strict=True):
            axes.set(xticks=[], yticks=[])
            frameless(axes)
            if image is not None:
                axes.imshow(image, interpolation="antialiased")
    titles = ["Exemplar", *(f"{n}, kept" if n == kept else f"Iteration {n}" for n in sorted(chosen))]
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=7)
    left, right = below.subplots(1, 2)
    number = [row["iteration"] for row in trace]
    look = {**MARK, "markersize": 3, "color": "#222222"}
    left.plot(number, losses, **look)
    left.set(yscale="log", xlabel="Iteration", ylabel="Loss on held-out noise")
    right.plot(number, [255 * row["diversity"] for row in trace], **look)
    right.set(xlabel="Iteration", ylabel="Distance of samples\n(RMS, 255 levels)", ylim=(0, None))
    for axes in (left, right):
        axes.axvline(kept, color="#de8f05", linewidth=0.8, zorder=0)
    return figure


@styled
def loss_curves(traces, study=None):
    """Draw how the loss fell, a panel a texture and a line a network and seed.

    Parameters
    ----------
    traces : DataFrame
        texture, network, run, evaluations, loss; without `study` also label, family, weights.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        Losses relative to each run's first, the lowest so far, on a logarithmic axis.
    """
    styles, names = table_styles(traces, study)
    figure, panels = _panels(traces["texture"].drop_duplicates())
    handles = {}
    for texture, axes in panels.items():
        for (network, _run), rows in traces[traces["texture"] == texture].groupby(["network", "run"]):
            relative = rows["loss"].cummin() / rows["loss"].iloc[0]
            (handles[network],) = axes.plot(rows["evaluations"], _positive(relative), **_line(styles, rows))
    figure.supxlabel("Evaluations of loss and gradient (number)", fontsize=8)
    figure.supylabel("Loss / loss of the initial image", fontsize=8)
    shown = {names[network]: handles[network] for network in styles if network in handles}
    legend(figure, shown.values(), shown, loc="outside right upper", handlelength=2.6)
    return figure


@styled
def loss_over_time(traces, trainings, study=None):
    """Draw how a loss fell while images were optimised, beside that of generators (Ulyanov et al., Fig. 6).

    Parameters
    ----------
    traces : DataFrame
        Of optimised images: texture, network, run, seconds, loss; without `study` also label, family,
        weights.
    trainings : DataFrame
        Of generators, a row a look: texture, network, held_out_loss.
    study : dict of str to dict, optional
        See `texalign.figures.style.table_styles`.

    Returns
    -------
    Figure
        A panel a texture, both axes logarithmic. Lines with marks are optimised images, the lowest loss so
        far; a level line is the mean loss of samples of a network's generator, in the network's colour.
    """
    styles, names = table_styles(traces, study)
    figure, panels = _panels(traces["texture"].drop_duplicates())
    handles = {}
    for texture, axes in panels.items():
        for (network, _run), rows in traces[traces["texture"] == texture].groupby(["network", "run"]):
            # A clock that begins at zero has no place on the axis for it.
            seconds, lowest = _positive(rows["seconds"]), _positive(rows["loss"].cummin())
            (handles[network],) = axes.plot(seconds, lowest, **_line(styles, rows))
        for network, rows in trainings[trainings["texture"] == texture].groupby("network"):
            axes.axhline(rows["held_out_loss"].min(), **LEVEL | {"color": styles[network]["color"]})
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    figure.supxlabel("Time (s)", fontsize=8)
    figure.supylabel("Loss (arb. units)", fontsize=8)
    shown = {names[network]: handles[network] for network in styles if network in handles}
    shown["samples of a generator"] = Line2D([], [], **LEVEL)
    legend(figure, shown.values(), shown, loc="outside right upper", handlelength=2.6)
    return figure


@styled
def rivals(trainings):
    """Draw the losses of a DCGAN's generator and judge while they learned, a panel a texture.

    Parameters
    ----------
    trainings : DataFrame
        texture, iteration, judge_loss, generator_loss; logistic losses in nats.

    Returns
    -------
    Figure
        With the losses that they have where the judge can only guess, ln 2 and 2 ln 2, as thin lines.
    """
    figure, panels = _panels(trainings["texture"].drop_duplicates(), log=False)
    handles = {}
    for texture, axes in panels.items():
        rows = trainings[trainings["texture"] == texture]
        for name, colour, marker, guesses in RIVALS:
            look = {**MARK, "markersize": 3, "color": colour, "marker": marker, "linewidth": 0.9}
            (handles[name],) = axes.plot(rows["iteration"], rows[f"{name}_loss"], **look)
            axes.axhline(guesses * np.log(2), color=colour, linewidth=0.5, zorder=0)
        axes.set_ylim(0, None)
    figure.supxlabel("Iteration", fontsize=8)
    figure.supylabel("Logistic loss (nats)", fontsize=8)
    legend(figure, handles.values(), handles, loc="outside right upper", handlelength=2.6)
    return figure


def _panels(textures, log=True):
    """Make a figure with a panel for each texture: texture to axes."""
    textures = list(textures)
    columns = min(3, len(textures))
    lines = -(-len(textures) // columns)
    figure = Figure(figsize=(DOUBLE if columns > 1 else MIDDLE, 0.5 + 1.75 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, title in zip(grid.flat, shorten(textures, 24), strict=False):
        axes.set_title(plain(title), fontsize=7)
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=7))
            axes.yaxis.set_minor_locator(NullLocator())
    for axes in list(grid.flat)[len(textures) :]:
        axes.set_axis_off()
    for axes in list(grid.flat)[len(textures) - columns : len(textures)]:
        axes.tick_params(labelbottom=True)  # also above an empty place
    return figure, dict(zip(textures, grid.flat, strict=False))


def _line(styles, rows):
    """Style the line of one run of a network."""
    network = rows["network"].iloc[0]
    return {**styles[network], **MARK, "markersize": 3.5, "markevery": max(1, len(rows) // 5)}


def _positive(values):
    """Leave out what has no place on a logarithmic axis."""
    return values.where(values > 0)


@styled
def scores(table, labels):
    """Draw the cross-model matrix, and the certificate of convergence.

    Parameters
    ----------
    table : DataFrame
        texture, network, seed, scored_by, loss, initial_loss, halves_loss, crops_loss, class_loss.
    labels : dict of str to str
        Network to its name for people, in the order of rows and columns.

    Returns
    -------
    Figure
        Left, the median over textures and seeds of log10 of the loss over the loss between the
        exemplar's halves, of each network's images under each network. Right, each image's own loss.
    """
    measure = np.log10(table["loss"].clip(lower=1e-300) / table["halves_loss"])
    matrix = table.assign(measure=measure).pivot_table(
        index="network", columns="scored_by", values="measure", aggfunc="median", dropna=False
    )
    makers = [network for network in labels if network in set(table["network"])]
    judges = [network for network in labels if network in set(table["scored_by"])]
    matrix = matrix.reindex(index=makers, columns=judges).astype(float)
    height = 1.6 + 0.26 * len(makers)
    figure = Figure(figsize=(DOUBLE, max(2.8, height)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    largest = np.nanmax(np.abs(matrix.to_numpy()), initial=1e-3)
    image = left.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", rasterized=True)
    if matrix.size <= 36:
        for (y, x), value in np.ndenumerate(matrix.to_numpy()):
            if np.isfinite(value):
                colour = "white" if abs(value) > 0.6 * largest else "#222222"
                left.text(
                    x, y, f"{value:.1f}".replace("-", "−"), ha="center", va="center", fontsize=7, color=colour
                )
    frameless(left)
    colour_bar(left, image, "log10 (loss / loss between halves)", (0, 1.02, 1, 0.04), location="top")
    left.set(xlabel="Scored by", ylabel="Synthesised with")
    _certificate(right, table[table["network"] == table["scored_by"]], judges, labels)
    fit_names(left.xaxis, np.arange(len(judges)), [labels[network] for network in judges], rotation=90)
    fit_names(left.yaxis, np.arange(len(makers)), [labels[network] for network in makers])
    return figure


def _certificate(axes, own, networks, labels):
    for column, name, colour, marker in LEVELS:
        rows = own[own[column] > 0] if column in own else own.iloc[:0]
        rows = rows.drop_duplicates(["texture", "network", column])
        if rows.empty:
            continue
        spread = (
            rows.groupby("network").cumcount() - (rows.groupby("network")[column].transform("size") - 1) / 2
        )
        y = rows["network"].map({network: i for i, network in enumerate(networks)}) + 0.08 * spread.clip(
            -4, 4
        )
        look = {**MARK, "markersize": 3.5, "color": colour, "marker": marker, "linestyle": "none"}
        axes.plot(rows[column], y, **look, label=name)
    axes.grid(axis="y", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xscale("log")
    axes.set(xlabel="Loss under the network itself (arb. units)", ylim=(len(networks) - 0.5, -0.5))
    axes.xaxis.set_major_locator(LogLocator(numticks=7))
    axes.xaxis.set_minor_locator(NullLocator())
    names = shorten(labels[network] for network in networks)
    axes.set_yticks(range(len(networks)), list(map(plain, names)))
    if axes.lines:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handletextpad=0.1)
