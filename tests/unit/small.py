"""A small network, small images and small tables, the same each time."""

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from texalign import networks


def seeded(build, *layers, seed=0, dtype=torch.float32):
    """The network of a module that `build` makes, with its random weights from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build()
    module = module.eval().requires_grad_(False).to(dtype=dtype, memory_format=torch.channels_last)
    layers = networks.name_layers(module, layers)
    return networks.Network(module, layers, weights="small", weights_sha256="none")


def small_network(dtype=torch.float32, seed=0):
    """Two convolutions, with all that may follow one: ReLUs in place, pooling, a classifier."""

    def build():
        return nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )

    return seeded(build, "0", "3", seed=seed, dtype=dtype)


def blobs(height=16, width=None, seed=1):
    """Random blobs: smooth, coloured, not constant. uint8 (height, width, 3)."""
    width = width or height
    grid = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(grid).resize((width, height)))


def noise(size=16, seed=2, dtype=torch.float64):
    """A noise image in normalised units."""
    return torch.randn(3, size, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_rows(n, d, seed=0, dtype=np.float32):
    """Standard normal rows, shape (n, d)."""
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def tidy(bits):
    """Make the table of mutual information from {network: [bits of L1, of L2, ...]}."""
    pairs = [(network, *layer) for network, layers in bits.items() for layer in enumerate(layers, 1)]
    rows = [(network, f"L{i}", value) for network, i, value in pairs]
    return pd.DataFrame(rows, columns=["network", "layer", "mi_bits"]).assign(readout="linear", k=47)


def slopes(objective, image, direction):
    """Slope of a loss along a direction, by its gradient and by differences of three lengths."""
    ((_, gradient),) = objective.evaluate([(0, image, 0)])
    found = []
    for step in (1e-5, 1e-6, 1e-7):
        ahead, behind = (
            sum(objective.evaluate([(0, image + s * step * direction, 0)])[0][0]) for s in (1, -1)
        )
        found.append((ahead - behind) / (2 * step))
    return float((gradient * direction).sum()), found
