"""Every figure of the study.

Functions take plain arrays and tables and return a `matplotlib.figure.Figure` that belongs to no
window and no global state; `save` writes it as PDF and PNG.
"""

import contextlib
import functools
import zlib
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.optimize import linear_sum_assignment

from texalign.alignment import check_one_condition, natural
from texalign.brainscore import METRICS
from texalign.files import whole

#: Widths of a figure in one and in two columns of a journal, in inches.
SINGLE, DOUBLE = 3.5, 7.2

#: Hue and markers of the families of the published study. Other families take what is left.
FAMILIES = {
    "alexnet": ("#444444", "o"),
    "densenet": ("#0173b2", "sDp"),
    "efficientnet": ("#56b4e9", "8"),
    "inception": ("#cc78bc", "*"),
    "mobilenet": ("#de8f05", "h"),
    "resnet": ("#d55e00", "^>v<d"),
    "vgg": ("#029e73", "PX"),
}
OTHER_HUES = ("#8c6239", "#e377c2", "#7f7f7f", "#b5a300", "#5d3fb0", "#17a2a8")
OTHER_MARKERS = "oPsX^D*vph<d>8"

#: Legend of the band that shuffled classes give.
NULL = "shuffled classes"

#: Ticks of plain numbers. (Matplotlib's default locator asks the style again whenever it draws.)
NUMBERS = {"steps": [1, 2, 5, 10], "min_n_ticks": 3}

MARK = {"markersize": 5, "markeredgewidth": 0.8}

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.titley": 1,  # no figure has ticks above its axes, and to look for them takes long
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}


@contextlib.contextmanager
def style():
    """Apply the look of the study's figures inside a ``with`` block, and leave nothing behind."""
    with mpl.rc_context({**sns.axes_style("ticks"), **sns.plotting_context("paper"), **RC}):
        yield


def _styled(draw):
    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with style():
            figure = draw(*args, **kwargs)
            # Ticks read the style when they are first laid out. The layout needs several passes where ticks
            # and insets change with the size of their axes; then it stays as it is.
            for _ in range(3):
                before = _places(figure)
                _lay_out(figure)
                if _places(figure) == before:
                    break
            figure.set_layout_engine(None)
        return figure

    return drawn


def _lay_out(figure):
    """Place the axes without drawing anything, least of all images."""
    if not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)  # it keeps its renderer, and so the sizes of texts, from pass to pass
    figure.get_layout_engine().execute(figure)


def _places(figure):
    return [axes.get_position(original=True).bounds for axes in figure.axes]


def save(figure, pdf=None, png=None, dpi=200):
    """Write a figure, whole or not at all, with the same bytes for the same input.

    Parameters
    ----------
    figure : Figure
    pdf, png : str or Path, optional
        Where to. Fonts are embedded in the PDF.
    dpi : int
        Dots an inch of the PNG, and of the images inside the PDF.
    """
    with style():
        if pdf is not None:
            with whole(pdf) as path:
                figure.savefig(path, format="pdf", dpi=dpi, metadata={"CreationDate": None})
        if png is not None:
            with whole(png) as path:
                # An RDM is almost noise: to search it for repeated strings takes four times as long.
                runs = {"compress_type": zlib.Z_RLE}
                figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None}, pil_kwargs=runs)


def network_styles(networks, families, untrained):
    """Give each network a colour and a marker of its own.

    A family shares a hue, in shades from dark to light, and each member has its own marker, so that
    neither colour vision nor a colour printer is needed to tell them apart.

    Parameters
    ----------
    networks, families : sequence of str
        The networks' keys and their families, in the same order.
    untrained : sequence of bool
        Which networks are untrained controls: hollow markers and dashed lines.

    Returns
    -------
    dict
        From network to keyword arguments of `matplotlib.axes.Axes.plot`. It depends on the set of
        networks, not on their order.
    """
    control = dict(zip(networks, untrained, strict=True))
    members = {}
    for network, family in sorted(zip(networks, families, strict=True), key=lambda row: natural(row[0])):
        members.setdefault(family, []).append(network)
    styles = {}
    for family, (hue, markers) in _family_looks(sorted(members)).items():
        for rank, network in enumerate(members[family]):
            colour = _shade(hue, rank, len(members[family]))
            styles[network] = {
                "color": colour,
                "marker": markers[rank % len(markers)],
                "markerfacecolor": "white" if control[network] else colour,
                "linestyle": "--" if control[network] else "-",
            }
    return styles


def _family_looks(families):
    others = [family for family in families if family.lower() not in FAMILIES]
    looks = {family: FAMILIES[family.lower()] for family in families if family not in others}
    for i, family in enumerate(others):
        turn = 3 * i % len(OTHER_MARKERS)
        looks[family] = (OTHER_HUES[i % len(OTHER_HUES)], OTHER_MARKERS[turn:] + OTHER_MARKERS[:turn])
    return looks


def _shade(hue, rank, size):
    """Mix a colour with black (first of its family) up to white (last)."""
    amount = np.linspace(-0.45, 0.45, size)[rank] if size > 1 else 0
    towards = "white" if amount > 0 else "black"
    return mpl.colors.to_hex(sns.blend_palette([hue, towards], 101)[round(100 * abs(amount))])


def _untrained(weights):
    return weights.astype(str).str.startswith("untrained").to_numpy()


def _table_styles(table):
    """Styles and legend labels of the networks of a table with network, label, family and weights."""
    rows = table.drop_duplicates("network")
    control = _untrained(rows["weights"])
    styles = network_styles(rows["network"], rows["family"], control)
    names = {
        network: f"{label} (untrained)" if flag and "untrained" not in label.lower() else label
        for network, label, flag in zip(rows["network"], rows["label"], control, strict=True)
    }
    family = dict(zip(rows["network"], rows["family"], strict=True))
    order = sorted(styles, key=lambda network: (natural(family[network].lower()), natural(network)))
    return {network: styles[network] for network in order}, names


# --- representational dissimilarity ---------------------------------------------------------------


def reduce_rdm(condensed, n, pixels=900):
    """Shrink an RDM by block means, for drawing.

    Parameters
    ----------
    condensed : array, shape (n (n - 1) / 2,)
        The upper triangle, row by row, as SciPy's `pdist` returns it.
    n : int
        Number of textures.
    pixels : int
        Largest side of the result.

    Returns
    -------
    array, shape (m, m)
        With m = min(n, pixels): the means over m × m nearly equal blocks of the square matrix, whose
        diagonal is zero. The square itself is never made: one row at a time is.
    """
    if len(condensed) != n * (n - 1) // 2:
        raise ValueError(f"condensed has {len(condensed)} entries; {n} textures need {n * (n - 1) // 2}")
    side = min(n, pixels)
    edges = np.linspace(0, n, side + 1).round().astype(int)
    sizes = np.diff(edges)
    sums = np.zeros((side, side))
    start = 0
    for block, (first, last) in enumerate(pairwise(edges)):
        rows = np.zeros(n)
        for i in range(first, last):
            stop = start + n - 1 - i
            rows[i + 1 :] += condensed[start:stop]
            start = stop
        sums[block] = np.add.reduceat(rows, edges[:-1])
    return (sums + sums.T) / np.outer(sizes, sizes)


def _runs(labels):
    """Names and edges of the runs of equal labels; each label must make up one run."""
    labels = np.asarray(labels, dtype=object)
    edges = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1], True])
    names = list(labels[edges[:-1]])
    if len(set(names)) < len(names):
        raise ValueError("labels must be grouped: rows of one class or network stand together")
    return names, edges


def _fit_names(axis, positions, names, rotation=0, largest=7, smallest=4):
    """Name positions along an axis, as large as the room allows; names that find none are left out."""
    names = [name if len(name) <= 26 else f"{name[:25]}…" for name in map(str, names)]
    axis.set_ticks(positions, names, fontsize=smallest, rotation=rotation)
    axis.set_tick_params(length=0, pad=2)
    figure, extent = axis.axes.figure, axis.axes.get_window_extent
    _lay_out(figure)
    axis.axes.apply_aspect()  # a square image takes less than the room that it was given
    pixels = extent().height if axis.axis_name == "y" else extent().width
    scale = pixels * 72 / figure.dpi / abs(np.diff(axis.get_view_interval())[0])
    gap = np.median(np.diff(positions)) * scale if len(positions) > 1 else np.inf
    size = np.clip(gap / 1.25, smallest, largest)
    kept = []
    for i, position in enumerate(positions):
        if not kept or (position - positions[kept[-1]]) * scale >= 1.2 * size:
            kept.append(i)
    axis.set_ticks(np.asarray(positions)[kept], [names[i] for i in kept], fontsize=size, rotation=rotation)


def _colour_bar(axes, image, label, place=(1.02, 0, 0.03, 1), location="right", extend="neither"):
    inset, ticks = axes.inset_axes(place), MaxNLocator(6, **NUMBERS)
    bar = axes.figure.colorbar(image, inset, ticks=ticks, label=label, location=location, extend=extend)
    bar.outline.set_visible(False)


def _frameless(axes):
    axes.spines[:].set_visible(False)


@_styled
def rdm(square, classes, title, metric_label):
    """Draw the RDM of one network and layer, with its classes (Fig. 1).

    Parameters
    ----------
    square : array, shape (m, m)
        The RDM, or what `reduce_rdm` made of it.
    classes : sequence of str, length n >= m
        The class of each texture, grouped: the textures of a class stand together.
    title : str
    metric_label : str
        What an entry is, with its unit.

    Returns
    -------
    Figure
        Colours span the 2nd to the 98th percentile off the diagonal.
    """
    names, edges = _runs(classes)
    n, several = edges[-1], len(names) > 20
    width = DOUBLE if several else 4.6
    figure = Figure(figsize=(width, 0.86 * width), layout="constrained")
    axes = figure.add_subplot()
    low, high = np.percentile(square[~np.eye(len(square), dtype=bool)], [2, 98])
    high = high if high > low else low + 1
    image = axes.imshow(square, cmap="mako", vmin=low, vmax=high, extent=(0, n, n, 0), rasterized=True)
    for lines in (axes.hlines, axes.vlines):
        lines(edges[1:-1], 0, n, color="white", linewidth=0.25 if several else 0.5, alpha=0.7)
    _frameless(axes)
    _colour_bar(axes, image, metric_label, extend="both")
    axes.set(title=title, xlabel="Textures, by class", ylabel="Textures, by class")
    centres = (edges[1:] + edges[:-1]) / 2
    _fit_names(axes.xaxis, centres, names, rotation=90)
    _fit_names(axes.yaxis, centres, names)
    return figure


@_styled
def second_order(matrix, labels, groups, class_identity, measure="Correlation"):
    """Draw how alike the RDMs of all networks and layers are, and how like the classes.

    Parameters
    ----------
    matrix : array, shape (m, m)
        Similarity of each two RDMs, from -1 to 1.
    labels : sequence of str, length m
        Network and layer of each RDM.
    groups : sequence of str, length m
        Network of each RDM; the layers of a network stand together.
    class_identity : array, shape (m,)
        Similarity of each RDM and the class-identity RDM (0 within a class, 1 between classes).
    measure : str
        What the similarity is, for the axes.

    Returns
    -------
    Figure
    """
    matrix = np.asarray(matrix, dtype=float)
    names, edges = _runs(groups)
    m, centres = len(matrix), (edges[1:] + edges[:-1] - 1) / 2
    width = DOUBLE if m > 12 else 5.2
    figure = Figure(figsize=(width, 0.92 * width), layout=ConstrainedLayoutEngine(rect=(0.02, 0, 0.96, 1)))
    axes = figure.add_subplot()
    signed = np.nanmin(matrix) < 0
    image = axes.imshow(
        matrix, cmap="vlag" if signed else "mako", vmin=-1 if signed else 0, vmax=1, rasterized=True
    )
    for lines in (axes.hlines, axes.vlines):
        lines(edges[1:-1] - 0.5, -0.5, m - 0.5, color="#222222" if signed else "white", linewidth=0.5)
    _frameless(axes)
    bars = axes.inset_axes([1.03, 0, 0.19, 1], ylim=axes.get_ylim())
    bars.barh(np.arange(m), class_identity, height=0.8, color="#0173b2")
    bars.axvline(0, color="#222222", linewidth=0.6)
    bars.hlines(edges[1:-1] - 0.5, 0, 1, transform=bars.get_yaxis_transform(), color="#bbbbbb", linewidth=0.5)
    bars.xaxis.set_major_locator(MaxNLocator(2, steps=NUMBERS["steps"]))
    bars.set_yticks([])
    bars.set_xlabel(f"{measure}\nwith class identity", fontsize=7)
    sns.despine(ax=bars, left=True)
    _colour_bar(axes, image, f"{measure} of two RDMs", (0, 1.02, 1, 0.025), location="top")
    layers = [label.removeprefix(group).strip() for label, group in zip(labels, groups, strict=True)]
    axes.set(xlabel="Network, its layers from shallow to deep", ylabel="Network and layer")
    _fit_names(axes.xaxis, centres, names, rotation=90)
    _fit_names(axes.yaxis, np.arange(m), layers, largest=6)
    room = max(label.get_window_extent().width for label in axes.get_yticklabels()) * 72 / figure.dpi
    axes.yaxis.remove_overlapping_locs = False
    axes.set_yticks(centres, names, minor=True, fontsize=7)
    axes.tick_params("y", which="minor", length=0, pad=room + 6)
    return figure


# --- clusters and classes -------------------------------------------------------------------------


def matched_order(table):
    """Order classes and clusters so that the diagonal is strong.

    Each class is matched with one cluster so that together they share as many textures as can be
    (linear assignment); best recovered classes come first, the unmatched ones last.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.

    Returns
    -------
    rows, columns : arrays of int
    """
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    order = np.argsort(-share[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    spare = np.setdiff1d(np.arange(table.shape[1]), columns)
    rows = np.r_[rows, np.setdiff1d(np.arange(len(table)), rows)]
    return rows, np.r_[columns, spare[np.argsort(np.argmax(table[rows][:, spare], axis=0), kind="stable")]]


@_styled
def cluster_composition(table, classes, title=""):
    """Draw which clusters the textures of each class fell into.

    Parameters
    ----------
    table : array, shape (classes, clusters)
        Counts of textures.
    classes : sequence of str
        The names of the rows.
    title : str

    Returns
    -------
    Figure
        Shares of each class's textures, rows and columns in `matched_order`. Clusters keep their
        number, counted from 1.
    """
    table = np.asarray(table)
    rows, columns = matched_order(table)
    share = (table / np.maximum(table.sum(axis=1, keepdims=True), 1))[np.ix_(rows, columns)]
    width = DOUBLE if max(table.shape) > 20 else 4.6
    figure = Figure(figsize=(width, 0.82 * width), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto", rasterized=True)
    _frameless(axes)
    _colour_bar(axes, image, "Share of the class's textures (0 to 1)")
    axes.set(title=title, xlabel="Cluster (number)", ylabel="Texture class")
    _fit_names(axes.xaxis, np.arange(len(columns)), columns + 1, rotation=90)
    _fit_names(axes.yaxis, np.arange(len(rows)), [classes[row] for row in rows])
    return figure


# --- mutual information and Brain-Score -----------------------------------------------------------


@_styled
def mutual_information_by_layer(mi):
    """Draw the mutual information of clusters and classes, by layer, for all networks (Fig. 2).

    Parameters
    ----------
    mi : DataFrame
        The tidy table, of one readout, clustering and number of clusters: network, label, family,
        weights, layer, mi_bits, mi_std_bits, h_class_bits; with ``mi_null_bits`` (and
        ``mi_null_std_bits``) the band that shuffled classes give is drawn too.

    Returns
    -------
    Figure
        Error bars are one posterior standard deviation.
    """
    check_one_condition(mi)
    styles, names = _table_styles(mi)
    layers = sorted(mi["layer"].unique(), key=natural)
    place = {layer: i for i, layer in enumerate(layers)}
    figure = Figure(figsize=(DOUBLE, 3.9), layout="constrained")
    axes = figure.add_subplot()
    aside = np.linspace(-0.2, 0.2, len(styles)) if len(styles) > 1 else [0]
    for offset, (network, look) in zip(aside, styles.items(), strict=True):
        rows = mi[mi["network"] == network]
        rows = rows.assign(x=rows["layer"].map(place)).sort_values("x")
        look = {**look, **MARK, "elinewidth": 0.8, "linewidth": 0.8, "label": names[network]}
        axes.errorbar(rows["x"] + offset, rows["mi_bits"], rows["mi_std_bits"], **look)
    bound = mi["h_class_bits"].max()
    axes.axhline(bound, color="#222222", linestyle=(0, (6, 3)), linewidth=0.8)
    axes.text(-0.4, 0.985 * bound, f"bound: H(class) = {bound:.2f} bits", va="top", fontsize=7)
    _null_band(axes, mi, layers)
    axes.set(xlabel="Layer (number, from shallow to deep)", ylabel="Mutual information (bits)")
    axes.set_xticks(range(len(layers)), layers)
    axes.yaxis.set_major_locator(MaxNLocator(7, **NUMBERS))
    axes.set(xlim=(-0.45, len(layers) - 0.55), ylim=(min(0, axes.get_ylim()[0]), 1.06 * bound))
    entries = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    entries = {text: entries[text] for text in sorted(entries, key=lambda text: text == NULL)}
    figure.legend(
        entries.values(), entries.keys(), loc="outside right upper", handlelength=2.6, labelspacing=0.6
    )
    sns.despine(fig=figure)
    return figure


def _null_band(axes, mi, layers):
    if "mi_null_bits" not in mi or mi["mi_null_bits"].isna().all():
        return
    spread = 2 * mi["mi_null_std_bits"].fillna(0) if "mi_null_std_bits" in mi else 0
    low = (mi["mi_null_bits"] - spread).groupby(mi["layer"]).min().reindex(layers).to_numpy()
    high = (mi["mi_null_bits"] + spread).groupby(mi["layer"]).max().reindex(layers).to_numpy()
    x = np.arange(len(layers))
    x, low, high = np.r_[-0.45, x, x[-1] + 0.45], low[[0, *x, -1]], high[[0, *x, -1]]
    axes.fill_between(x, low, high, color="#999999", alpha=0.35, linewidth=0.8, label=NULL)


@_styled
def brainscore_panels(joined, correlations):
    """Draw each network's best mutual information against its seven Brain-Scores (Fig. 3).

    Parameters
    ----------
    joined : DataFrame
        As `texalign.alignment.join_scores` returns it.
    correlations : DataFrame
        As `texalign.alignment.correlate` returns it.

    Returns
    -------
    Figure
        Error bars are one posterior standard deviation; the line is the least-squares fit.
    """
    styles, names = _table_styles(joined)
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
    handles = []
    for network, look in styles.items():
        look = {**look, **MARK, "linestyle": "none"}
        handles.append(Line2D([], [], label=names[network] + ("" if scored[network] else " †"), **look))
    axes.legend(
        handles=handles,
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
