"""Figures of networks, and what a reader would complain about."""

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

POOL = [
    ("alexnet", "AlexNet", "alexnet"),
    ("vgg19", "VGG-19", "vgg"),
    ("resnet18", "ResNet-18", "resnet"),
    ("efficientnet_lite0", "EfficientNet-Lite0", "efficientnet"),
    ("densenet121", "DenseNet-121", "densenet"),
    ("densenet169", "DenseNet-169", "densenet"),
    ("inception_v3", "Inception-v3", "inception"),
    ("resnet34", "ResNet-34", "resnet"),
    ("resnet50", "ResNet-50", "resnet"),
    ("resnet101", "ResNet-101", "resnet"),
    ("resnet152", "ResNet-152", "resnet"),
    ("vgg16", "VGG-16", "vgg"),
    ("mobilenet_v2", "MobileNetV2", "mobilenet"),
]


def table(networks, untrained=()):
    rng, rows = np.random.default_rng(0), []
    pool = [
        (key + again, label + again, family)
        for again in ("", " again", " anew")
        for key, label, family in POOL
    ]
    for key, label, family in pool[:networks]:
        weights = "untrained" if key in untrained else "IMAGENET1K_V1"
        for i in range(2 if key == "mobilenet_v2" else 5):
            rows.append((key, label, family, weights, f"L{i + 1}", 0.5 + 0.5 * i + rng.uniform(0, 0.3)))
    columns = ["network", "label", "family", "weights", "layer", "mi_bits"]
    return pd.DataFrame(rows, columns=columns).assign(mi_std_bits=0.05, h_class_bits=np.log2(47))


def shown_texts(figure):
    """Find the texts that a reader sees; tick labels outside of their axis are not drawn."""
    hidden = set()
    for axes in figure.findobj(mpl.axes.Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                inside = low <= tick.get_loc() <= high and axis.get_visible() and axes.axison
                hidden |= {tick.label2} if inside else {tick.label1, tick.label2}
            if not axes.axison:
                hidden |= {axis.label}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
    ]


def assert_legible(figure):
    """Nothing overlaps, nothing is cut off, and no letter is smaller than 4 points."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = {text: text.get_window_extent(renderer) for text in shown_texts(figure)}
    assert min(text.get_fontsize() for text in boxes) >= 4
    for text, box in boxes.items():
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
    for (a, first), (b, second) in combinations(boxes.items(), 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        along = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 0.5 or along <= 0.5, f"{a.get_text()!r} and {b.get_text()!r} overlap"


def words(figure):
    return " | ".join(text.get_text() for text in shown_texts(figure))
