"""What networks cost at sizes that were not tried: counted operations and bytes, and rates that are assumed.

Usage: python bench/reckon.py [--networks KEY ...] [--tflops 5]

Operations are counted by torch on tensors without content (a multiplication and an addition are two), in
the forward pass at 224 px up to the deepest layer, and in the products F Fᵀ of all layers. Bytes are those
of the files: packed Gram matrices and means in whole chunks, two condensed float32 RDMs a layer.
"""

import argparse
from dataclasses import replace
from math import ceil
from pathlib import Path

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from texalign import gram, networks, readout, store

REPOSITORY = Path(__file__).parents[1]
SIZES = (5640, 50_000, 1_300_000)


def count(entry, size=224):
    """Operations of one image in the forward pass and in the Gram matrices, and channels of each layer."""
    network = networks.load(entry | {"weights": "untrained"}, device="cpu")
    network = replace(network, module=network.module.to("meta"), device=torch.device("meta"))
    shapes = {}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        image = network.preprocess(torch.zeros(1, 3, size, size))
        readout.read(network, image, lambda layer, maps: shapes.update({layer: tuple(maps.shape[1:])}))
    products = sum(2 * channels**2 * height * width for channels, height, width in shapes.values())
    return counter.get_total_flops(), products, [channels for channels, _, _ in shapes.values()]


def gram_bytes(channels, n):
    """Size of a network's Gram file: HDF5 keeps whole chunks."""
    total = 0
    for length in (*map(gram.n_packed, channels), *channels):
        rows, columns = min(store.CHUNK[0], n), min(store.CHUNK[1], length)
        total += 4 * ceil(n / rows) * rows * ceil(length / columns) * columns
    return total


def pairs(n):
    return n * (n - 1) // 2


def rdm_bytes(layers, n):
    """Size of a network's RDMs, Euclidean and cosine."""
    return layers * 2 * 4 * pairs(n)


def short(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def by_network(counted, tflops):
    yield [
        "network",
        "GFLOP an image",
        *(f"GPU min, n = {n:,}" for n in SIZES),
        *(f"GB, {n:,}" for n in SIZES),
    ]
    for key, (forward, products, channels) in counted.items():
        minutes = [n * (forward + products) / (tflops * 1e12) / 60 for n in SIZES]
        written = [gram_bytes(channels, n) / 1e9 for n in SIZES]
        yield [key, f"{(forward + products) / 1e9:.1f}", *map(short, minutes + written)]


def by_study(counted, tflops):
    """Totals of many networks, each as the mean of those counted."""
    yield ["networks", "n", "GPU h", "Gram TB", "RDM TB", "scratch to compare RDMs, TB", "PFLOP to compare"]
    m = len(counted)
    layers = sum(len(channels) for *_, channels in counted.values()) / m
    for networks_ in (100, 1000, 10_000):
        for n in SIZES:
            flop = sum(forward + products for forward, products, _ in counted.values()) / m
            gram_tb = sum(gram_bytes(channels, n) for *_, channels in counted.values()) / m / 1e12
            rdms = round(networks_ * layers)
            values = (
                networks_ * n * flop / (tflops * 1e12) / 3600,
                networks_ * gram_tb,
                rdm_bytes(rdms, n) / 1e12,
                rdms * 4 * pairs(n) / 1e12,
                2 * rdms**2 * pairs(n) / 1e15,
            )
            yield [f"{networks_:,}", f"{n:,}", *map(short, values)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="*", metavar="KEY", help="of config/models.yaml; or the study's")
    parser.add_argument("--tflops", type=float, default=5, help="assumed: sustained float32 TFLOP/s of a GPU")
    arguments = parser.parse_args()
    entries = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())
    study = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
    counted = {key: count(entries[key]) for key in arguments.networks or study["networks"]}
    for table in (by_network(counted, arguments.tflops), by_study(counted, arguments.tflops)):
        head, *rows = table
        for row in [head, ["---"] * len(head), *rows]:
            print("| " + " | ".join(row) + " |")
        print()


if __name__ == "__main__":
    main()
