"""The look of all figures: sizes, networks, names, ticks, and how a figure is saved."""

import contextlib
import functools
import logging
import warnings
import zlib

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from texalign import views
from texalign.figures import fonts
from texalign.files import whole
from texalign.plan.labels import labels
from texalign.tables import natural

log = logging.getLogger(__name__)

#: Widths of a figure in a journal, in inches: one column and a half (120 mm), and two (183 mm).
MIDDLE, DOUBLE = 4.72, 7.2

#: Of texts and axes; of what shows chance.
INK, CHANCE = "#262626", "#999999"

#: Lines of untrained networks, and of controls, trained or not.
UNTRAINED, CONTROL = "--", ":"

#: Hue and markers of the families of the published study. Other families take what is left.
FAMILIES = {
    "alexnet": ("#444444", "o"),
    "densenet": ("#0173b2", "sDp"),
    "efficientnet": ("#56b4e9", "8"),
    "inception": ("#cc78bc", "*"),
    "mobilenet": ("#de8f05", ((4, 1, 0),)),  # a star of four points: hexagon, octagon and circle look alike
    "resnet": ("#d55e00", "^>v<d"),
    "vgg": ("#029e73", "PX"),
}

OTHER_HUES = ("#8c6239", "#e377c2", "#7f7f7f", "#b5a300", "#5d3fb0", "#17a2a8")

OTHER_MARKERS = "sPX^D*v<d>phoH"

#: Stars and a hexagon, for the members of a family that its own markers leave over.
SPARE_MARKERS = ((6, 1, 0), (4, 1, 0), (3, 1, 0), "H", (4, 1, 45), (3, 1, 180))

#: Ticks of plain numbers. (Matplotlib's default locator asks the style again whenever it draws.)
NUMBERS = {"steps": [1, 2, 5, 10], "min_n_ticks": 3}

#: What is told of a network.
TOLD = ("label", "family", "weights")

MARK = {"markersize": 5, "markeredgewidth": 0.8}

RC = {
    "font.family": [fonts.OURS],
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
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.8,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.8,
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
    with mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # `styled` says it once, and what to do
        yield


def styled(draw):
    """Decorate a function that draws a figure: it gets the look of all, and its axes their places."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with style():
            figure = draw(*args, **kwargs)
            letters = set().union(*(text.get_text() for text in figure.findobj(Text)))
            families, missing = fonts.covering(letters)
            if families:
                mpl.rcParams["font.family"] = [fonts.OURS, *families]
                figure = draw(*args, **kwargs)
            if missing:
                _tell_missing("".join(missing[:20]))
            # Ticks read the style when they are first laid out.
            settle(figure)
        return figure

    return drawn


@functools.cache
def _tell_missing(letters):
    """Say once in a process that no font has some letters."""
    log.warning(
        "no installed font has the characters %s: boxes stand in their place; install one that has them, "
        "such as Noto Sans CJK for Chinese, Japanese and Korean",
        letters,
    )


def settle(figure):
    """Give the axes of a figure their places, which stay as they are then."""
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    # Several passes are needed where ticks and insets change with the size of their axes.
    for _ in range(3):
        before = _places(figure)
        _lay_out(figure)
        if _places(figure) == before:
            break
    figure.set_layout_engine(None)


def _lay_out(figure):
    """Place the axes without drawing anything, least of all images."""
    if not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)  # it keeps its renderer, and so the sizes of texts, from pass to pass
    figure.get_layout_engine().execute(figure)


def _places(figure):
    return [axes.get_position(original=True).bounds for axes in figure.axes]


def save(figure, pdf=None, png=None, svg=None, dpi=200):
    """Write a figure, whole or not at all, with the same bytes for the same input.

    Parameters
    ----------
    figure : Figure
    pdf, png, svg : str or Path, optional
        Where to. Fonts are embedded in the PDF; letters are outlines in the SVG.
    dpi : int
        Dots an inch of the PNG, and of the images inside the PDF.
    """
    with style():
        if pdf is not None:
            with whole(pdf) as path, _outlines_alone(), _images_as_they_are(figure):
                figure.savefig(path, format="pdf", dpi=dpi, metadata={"CreationDate": None})
        if png is not None:
            with whole(png) as path:
                # An RDM is almost noise: to search it for repeated strings takes four times as long.
                runs = {"compress_type": zlib.Z_RLE}
                figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None}, pil_kwargs=runs)
        if svg is not None:
            with whole(svg) as path, mpl.rc_context({"svg.hashsalt": "texalign"}):
                figure.savefig(path, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})


@contextlib.contextmanager
def _images_as_they_are(figure):
    """Embed the pixels of images, instead of as many as a page of this resolution has."""
    before = [(image, image.get_interpolation()) for image in figure.findobj(AxesImage)]
    for image, _ in before:
        image.set(interpolation="none", rasterized=False)
    try:
        yield
    finally:
        for image, interpolation in before:
            image.set(interpolation=interpolation, rasterized=True)


@contextlib.contextmanager
def _outlines_alone():
    """Embed letters without their font's rules for setting them, as they stand in their places already.

    To take those rules apart is three quarters of the time of a PDF.
    """
    from fontTools import subset

    before = subset.Options._drop_tables_default
    subset.Options._drop_tables_default = [*before, "GDEF", "GPOS", "GSUB"]
    try:
        yield
    finally:
        subset.Options._drop_tables_default = before


@functools.cache
def hues():
    """Give ten hues that people with any colour vision tell apart."""
    import seaborn  # with SciPy's distributions half a second: figures of images alone need none

    return tuple(seaborn.color_palette("colorblind").as_hex())


def network_styles(networks, families, untrained, controls=()):
    """Give each network a colour and a marker of its own.

    A family shares a hue, in shades from dark to light, and each member has its own marker, so that
    neither colour vision nor a colour printer is needed to tell them apart. Upper and lower case make no
    two families.

    Parameters
    ----------
    networks, families : sequence of str
        The networks' keys and their families, in the same order.
    untrained : sequence of bool
        Which networks are untrained: hollow markers and dashed lines.
    controls : collection of str, optional
        Networks that are drawn for comparison only: dotted lines.

    Returns
    -------
    dict
        From network to keyword arguments of `matplotlib.axes.Axes.plot`. It depends on the set of
        networks, not on their order.
    """
    hollow = dict(zip(networks, untrained, strict=True))
    members = {}
    for network, family in sorted(zip(networks, families, strict=True), key=lambda row: natural(row[0])):
        members.setdefault(family.lower(), []).append(network)
    styles = {}
    for family, (hue, markers) in _family_looks(sorted(members)).items():
        spare = [marker for marker in (*SPARE_MARKERS, *OTHER_MARKERS) if marker not in list(markers)]
        markers = [*markers, *spare]
        for rank, network in enumerate(members[family]):
            colour = _shade(hue, rank, len(members[family]))
            styles[network] = {
                "color": colour,
                "marker": markers[rank % len(markers)],
                "markerfacecolor": "white" if hollow[network] else colour,
                "linestyle": CONTROL if network in controls else UNTRAINED if hollow[network] else "-",
            }
    return styles


def _family_looks(families):
    others = [family for family in families if family not in FAMILIES]
    looks = {family: FAMILIES[family] for family in families if family in FAMILIES}
    for i, family in enumerate(others):
        turn = 3 * i % len(OTHER_MARKERS)
        looks[family] = (OTHER_HUES[i % len(OTHER_HUES)], OTHER_MARKERS[turn:] + OTHER_MARKERS[:turn])
    return looks


def _shade(hue, rank, size):
    """Mix a colour with black (first of its family) up to white (last)."""
    amount = np.linspace(-0.45, 0.45, size)[rank] if size > 1 else 0
    towards = "white" if amount > 0 else "black"
    mixed = mpl.colors.LinearSegmentedColormap.from_list("", [hue, towards])
    return mpl.colors.to_hex(mixed(round(abs(amount), 2)))


def table_styles(table, study=None):
    """Give the networks of a table their styles and names, the same in all figures of a study.

    Parameters
    ----------
    table : DataFrame
        With network, and without `study` also with label, family and weights.
    study : dict of str to dict, optional
        Label, family and weights of every network of the study: see `texalign.plan.networks.names`; and
        ``control`` where it is one.

    Returns
    -------
    styles : dict
        As `network_styles` gives them for the whole study; of the table's networks, family by family,
        controls last.
    names : dict of str to str
        The names of all networks for people, none of them twice.
    """
    if study is None:
        rows = table.drop_duplicates("network").set_index("network")
        study = rows[[name for name in (*TOLD, "control") if name in rows]].to_dict("index")
    controls = {network for network, entry in study.items() if entry.get("control", False)}
    family = {network: entry["family"] for network, entry in study.items()}
    hollow = views.untrained([entry["weights"] for entry in study.values()])
    styles = network_styles(list(study), list(family.values()), hollow, controls)
    shown = set(table["network"])
    order = sorted(styles, key=lambda name: (name in controls, natural(family[name].lower()), natural(name)))
    names = labels(study)
    names = dict(zip(names, views.shorten(names.values()), strict=True))
    return {network: styles[network] for network in order if network in shown}, names


def plain(text):
    """Keep matplotlib from reading a name as mathematics, or breaking it into lines."""
    return " ".join(str(text).split()).replace("$", r"\$")


def legend(owner, handles, names, **options):
    """Add a legend to a figure or to axes, whose entries may begin with ``_`` or be equal.

    Parameters
    ----------
    owner : Figure or Axes
    handles : sequence of artists
    names : sequence of str
    **options
        Of `matplotlib.axes.Axes.legend`.
    """
    added = owner.legend(handles=list(handles), labels=[str(i) for i in range(len(names))], **options)
    for text, name in zip(added.get_texts(), names, strict=True):
        text.set_text(plain(name))


def network_legend(owner, handles, styles, names, further=None, **options):
    """Add a legend of networks, controls under a heading of their own, then of what else is drawn.

    Parameters
    ----------
    owner : Figure or Axes
    handles : dict of str to artist
        Network to what is drawn of it; others of `styles` are left out.
    styles, names : dict
        As `table_styles` gives them.
    further : dict of str to artist, optional
        Text to what is drawn.
    **options
        Of `matplotlib.axes.Axes.legend`.
    """
    shown = [network for network in styles if network in handles]
    controls = [network for network in shown if styles[network]["linestyle"] == CONTROL]
    rows = [(handles[network], names[network]) for network in shown if network not in controls]
    if controls:
        heading = "control, for comparison:" if len(controls) == 1 else "controls, for comparison:"
        rows.append((Line2D([], [], linestyle="none"), heading))
    rows += [(handles[network], names[network]) for network in controls]
    rows += [(artist, text) for text, artist in (further or {}).items()]
    legend(owner, [row[0] for row in rows], [row[1] for row in rows], **options)


#: Networks of a legend beside a figure; more stand below it, in columns.
BESIDE, COLUMNS = 16, 3


def legend_place(count):
    """Say where a legend of so many networks goes, and by how much the figure is higher for it.

    Returns
    -------
    options : dict
        Of `network_legend`.
    inches : float
    """
    if count <= BESIDE:
        return {"loc": "outside right upper", "handlelength": 2.6, "labelspacing": 0.6}, 0.0
    below = {"loc": "outside lower left", "ncols": COLUMNS, "fontsize": 6.5, "labelspacing": 0.45}
    return below, 0.16 * -(-(count + 3) // COLUMNS)


def bar_of(**look):
    """Give what stands for error bars in a legend."""
    return Line2D([], [], **{"color": INK, "marker": "|", "markersize": 8, "linestyle": "none"} | look)


def note(figure, text):
    """Say below a figure what it does not show by itself."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=6, color="#555555")


def fit_names(axis, positions, names, rotation=0, largest=7, smallest=4):
    """Name positions along an axis, as large as the room allows; names that find none are left out."""
    names = [plain(name) for name in views.shorten(names)]
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


def colour_bar(axes, image, label, place=(1.02, 0, 0.03, 1), location="right", extend="neither"):
    """Put a narrow colour bar beside an image, at a place in units of its axes."""
    inset, ticks = axes.inset_axes(place), MaxNLocator(6, **NUMBERS)
    bar = axes.figure.colorbar(image, inset, ticks=ticks, label=label, location=location, extend=extend)
    bar.outline.set_visible(False)


def frameless(axes):
    """Take the frame of axes away."""
    axes.spines[:].set_visible(False)
