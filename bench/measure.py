"""Measure one step, ours against the plain way, by turns.

Usage: python bench/measure.py STEP [--rounds 5] [--threads 2] [--before CHECKOUT] --out step.json

A step is a name of this file with its arguments: `ward`, `rdm:2000:256`, `features:vgg16:bf16`. Networks
run on the GPU where there is one.

Each way has a process of its own, because the memory allocator and OpenMP are set up for a whole
process: ours as in every rule (`job.start`), the plain one as Python comes. Times are medians of the
rounds after a first one that is not counted; peak memory is the process's, its input included.
`flop` and `bytes` are what a step cannot do without.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import plain
import torch
import yaml
from PIL import Image
from scipy.linalg.blas import ssyrk
from torch.utils.flop_counter import FlopCounterMode

from texalign import gram, information, job, networks, readout, store
from texalign.fast.prepare import prepare
from texalign.fast.winograd import speed_up
from texalign.geometry import distances
from texalign.geometry import ward as trees
from texalign.geometry.condensed import square
from texalign.gram import extract
from texalign.images import textures
from texalign.synthesis import losses, matching, sampling, training
from texalign.synthesis.generator import Generator, take_statistics
from texalign.synthesis.losses.common import gram_distance

DEVICE = networks.pick_device()
MODELS = yaml.safe_load((Path(__file__).parents[1] / "config/models.yaml").read_text())
STEPS = {}
#: Where the package lies in a checkout, today and before.
SOURCES = ("src", "workflow/scripts")
#: What a network computes in stays as it is to the end of the process, which takes one step only.
OPEN = contextlib.ExitStack()


def step(function):
    STEPS[function.__name__] = function
    return function


def photographs(n, size=224):
    """Seeded stand-ins for photographs."""
    images = textures.procedural(12, max(2, -(-n // 12)))
    return np.stack([images.read(i, size) for i in range(n)])


def load(name, precision="float32"):
    """The network as our rules use it, and the module as torchvision gives it."""
    entry = MODELS[name] | {"weights": "untrained", "seed": 0}
    network, plain = networks.load(entry), networks.load(entry)
    network = OPEN.enter_context(prepare(network, 224, precision))
    return network, plain.module.to(memory_format=torch.contiguous_format)


def flops(function):
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


@step
def features(name, precision="float32"):
    """Images to packed Gram matrices, all layers of a network; `flop` without Winograd's savings."""
    network, module = load(name, precision)
    fast = speed_up(network)
    n = 64 if DEVICE.type == "cpu" else 512
    images, layers = photographs(n), list(network.layers.values())
    batch = extract.batch_size(fast, 224)

    def ours():
        parts = {layer: [] for layer in network.layers}
        extract.compute(
            fast, [(0, images)], lambda layer, _, found: parts[layer].append(found.gram), max_batch=batch
        )
        return {layer: np.concatenate(rows) for layer, rows in parts.items()}

    def usual():
        return plain.gram_matrices(module, layers, images)

    def facts():
        expected, got = usual(), ours()
        error = max(
            float(np.abs(gram.pack(expected[name]) - got[layer]).max() / np.abs(expected[name]).max())
            for layer, name in network.layers.items()
        )
        with torch.no_grad():
            image = network.preprocess(images[:1])
            work = n * flops(lambda: readout.read(network, image, lambda *_: None))
        shapes = readout.layer_shapes(network, 224).values()
        work += sum(n * channels**2 * height * width for channels, height, width in shapes)
        return {"items": n, "flop": work, "relative_difference": error}

    return ours, usual, facts


@step
def decode(n=48):
    """Photographs to uint8 of one size: cached once, against opened again for each network."""
    folder = Path(tempfile.mkdtemp())
    paths = []
    for i, image in enumerate(photographs(n, 480)):
        paths.append(folder / f"{i}.jpg")
        Image.fromarray(image).save(paths[-1], quality=90)
    cached = plain.decode(paths, 224)
    with h5py.File(folder / "images.h5", "w") as file:
        file.create_dataset("image", data=cached, chunks=(1, 224, 224, 3))

    def ours():
        with store.open_h5(folder / "images.h5") as file:
            return file["image"][:]

    return ours, lambda: plain.decode(paths, 224), {"items": n, "bytes": cached.nbytes}


@step
def write_gram(n=64):
    """Gram matrices of ResNet-18's five layers to disk."""
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    squares = {}
    for layer, channels in {"L1": 64, "L2": 64, "L3": 128, "L4": 256, "L5": 512}.items():
        maps = rng.standard_normal((n, channels, 8), dtype=np.float32)
        squares[layer] = maps @ maps.transpose(0, 2, 1)
    packed = {layer: gram.pack(matrices) for layer, matrices in squares.items()}

    def ours():
        with store.create_h5(folder / "ours.h5") as file:
            for layer, rows in packed.items():
                writer = store.RowWriter(file.create_group(layer), "gram", *rows.shape)
                writer.append(rows)
                writer.flush()

    return (
        ours,
        lambda: plain.store(folder / "plain.h5", squares),
        {"items": n, "bytes": sum(rows.nbytes for rows in packed.values())},
    )


@step
def rdm(n=2000, channels=256):
    """Packed Gram matrices in HDF5 to the Euclidean and the cosine RDM; `bare_s`: the products alone.

    The plain way holds all squares, 6 GB at 5640 x 512 channels twice over: it is left out there.
    """
    path = Path(tempfile.mkdtemp()) / "gram.h5"
    maps = np.random.default_rng(0).standard_normal((n, channels, 16), dtype=np.float32)
    with store.create_h5(path) as file:
        writer = store.RowWriter(file, "gram", n, gram.n_packed(channels))
        for first in range(0, n, 100):
            part = maps[first : first + 100]
            writer.append(gram.pack(part @ part.transpose(0, 2, 1)))
        writer.flush()

    def ours():
        with store.open_h5(path, strided=True) as file:
            return distances.rdms(file["gram"])[0]

    def usual():
        return plain.rdm(maps @ maps.transpose(0, 2, 1))

    def facts():
        width = gram.n_packed(channels)
        slab = np.random.default_rng(0).standard_normal((n, min(width, distances.SLAB)), dtype=np.float32)
        bare = (
            min(timed(lambda: ssyrk(1.0, slab.T, trans=1, lower=1)) for _ in range(5)) * width / slab.shape[1]
        )
        result = {"items": n, "flop": n * n * width, "bare_s": bare}
        if with_plain:
            error = float(np.abs(ours() / usual()[np.triu_indices(n, 1)] - 1).max())
            result["relative_difference"] = error
        return result

    with_plain = n * channels**2 < 1e9
    return ours, usual if with_plain else None, facts


@step
def ward(n=1500):
    """Clusters for every k up to 47 from an RDM."""
    points = np.random.default_rng(0).standard_normal((n, 20))
    condensed = np.sqrt(((points[:, None] - points) ** 2).sum(-1))[np.triu_indices(n, 1)]
    rows = square(condensed)

    def ours():
        tree = trees.ward_tree(condensed)
        return [trees.cut(tree, k) for k in range(2, 48)]

    return ours, lambda: plain.clusters(rows, range(2, 48)), {"items": 46}


@step
def nsb(n=5640):
    """Mutual information of a 47 x 47 table; the plain way is ndd, where it is built."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(47), n // 47)
    clusters = np.where(rng.random(n) < 0.3, classes, rng.integers(0, 47, n))

    def ours():
        return information.mutual_information(classes, clusters)

    def usual():
        return information.mutual_information(classes, clusters, "ndd")

    try:
        difference = abs(ours().bits / usual().bits - 1)
    except ValueError:
        return ours, None, {"items": 1}
    return ours, usual, {"items": 1, "relative_difference": difference}


@step
def closure(name="vgg19", size=224):
    """One evaluation of the synthesis loss and its gradient."""
    network, module = load(name)
    image = torch.rand(1, 3, size, size, device=DEVICE)
    with torch.no_grad():
        maps = readout.feature_maps(network, image)
    positions = {network.layers[k]: m[0, 0].numel() for k, m in maps.items()}
    targets = {network.layers[k]: gram.gram_matrices(m) * 0.9 for k, m in maps.items()}
    weights = {network.layers[k]: 1 / (4 * m[0, 0].numel() * m.shape[1] ** 2) for k, m in maps.items()}

    def ours():
        x = image.detach().requires_grad_()
        total = []

        def visit(layer, m):
            name = network.layers[layer]
            m_l = positions[name]  # our Gram matrices are per position
            total.append(weights[name] * m_l**2 * gram_distance(m, targets[name] / m_l).sum())

        readout.read(network, x.to(memory_format=torch.channels_last), visit)
        sum(total).backward()
        return x.grad

    def usual():
        return plain.closure(module, list(network.layers.values()), weights, targets, image)[1]

    def facts():
        expected = usual()
        return {"items": 1, "relative_difference": float((ours() - expected).norm() / expected.norm())}

    return ours, usual, facts


@step
def sample(size=256, steps=10):
    """A sample of a generator, against optimising an image, from coarse to fine, by some steps at each size.

    How many steps reach the loss of a trained generator, docs/synthesis.md has; weights do not matter here.
    """
    network, _ = load("efficientnet_lite0")
    exemplar = photographs(1, size)[0]
    generator = Generator(training.architecture()).to(DEVICE)
    take_statistics(generator, (64, 64), 4)

    def usual():
        loss = losses.get("paper", layer_weights="balanced")
        return matching.synthesize(network, exemplar, loss, iterations=steps)

    return lambda: sampling.sample(generator, 0, (size, size)), usual, {"items": 1}


@step
def limits():
    """What this machine can do in float32: matrix products, convolutions, memory."""
    square = torch.randn(4096, 4096, device=DEVICE)
    array = np.random.default_rng(0).standard_normal((2048, 2048), dtype=np.float32)
    block = np.ones(2**27, np.float32)
    target = np.empty_like(block)
    conv = torch.nn.Conv2d(128, 128, 3, padding=1).to(DEVICE, memory_format=torch.channels_last)
    x = torch.randn(8, 128, 56, 56, device=DEVICE).to(memory_format=torch.channels_last)

    def best(function, work, n=7):
        function()
        return work / min(timed(function) for _ in range(n)) / 1e9

    with torch.inference_mode():
        rates = {
            "torch_matmul_gflops": best(lambda: square @ square, 2 * 4096**3),
            "numpy_matmul_gflops": best(lambda: array @ array, 2 * 2048**3),
            "convolution_gflops": best(lambda: conv(x), 2 * 8 * 56 * 56 * 128 * 128 * 9),
            "memory_gbytes": best(lambda: np.copyto(target, block), 2 * block.nbytes),
        }
    return None, None, rates


def timed(function):
    began = time.perf_counter()
    function()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


class Way:
    """A process that takes one way of a step once for every line it is sent, and answers with the seconds."""

    def __init__(self, step, way, threads, before=None):
        root = Path(before if way == "before" else __file__.rsplit("bench", 1)[0]).resolve()
        taken = "ours" if way == "before" else way
        command = [sys.executable, "bench/measure.py", step, "--way", taken, "--threads", str(threads)]
        # Spinning threads would lose to anything else on the machine: neither way is to suffer from it.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=os.environ
            | {"GOMP_SPINCOUNT": "1000", "OPENBLAS_NUM_THREADS": str(threads)}
            | {"PYTHONPATH": os.pathsep.join(str(root / folder) for folder in SOURCES)},
        )
        self.facts = self.ask("facts")

    def ask(self, what):
        print(what, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the process of a way ended with status {self.process.wait()}")
        return json.loads(answer)

    def end(self):
        peak_mb = self.ask("memory")
        self.process.stdin.close()
        self.process.wait()
        return peak_mb


def answer(step, way, threads):
    """What the process of one way does."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if way == "ours":
        job.keep_freed_memory()
    name, *arguments = step.split(":")
    ours, usual, facts = STEPS[name](*(int(a) if a.isdigit() else a for a in arguments))
    function = {"ours": ours, "plain": usual}[way]
    for line in sys.stdin:
        what = line.strip()
        if what == "facts":
            reply = {"exists": function is not None}
        elif what == "compare":
            reply = facts() if callable(facts) else facts
        elif what == "memory":
            reply = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        else:
            reply = timed(function)
        print(json.dumps(reply), flush=True)


def measure(step, rounds, threads, before=None):
    ways = {way: Way(step, way, threads, before) for way in ("ours", "plain", *["before"] * bool(before))}
    seconds = {way: [] for way in ways if ways[way].facts["exists"]}
    for _ in range(rounds + 1 if seconds else 0):
        for way in seconds:
            seconds[way].append(ways[way].ask("time"))
    result = {"step": step, "threads": threads, "rounds": rounds}
    peaks = {way: ways[way].end() for way in ways if way != "ours"} | {"ours": ways["ours"].ask("memory")}
    for way, times in seconds.items():
        result |= {f"{way}_s": statistics.median(times[1:]), f"{way}_mb": peaks[way]}
    for way, name in (("plain", "ratio"), ("before", "over_before")):
        if {way, "ours"} <= seconds.keys():
            pairs = zip(seconds[way][1:], seconds["ours"][1:], strict=True)
            result[name] = statistics.median(other / ours for other, ours in pairs)
    result |= ways["ours"].ask("compare")  # last: it takes both ways in one process
    ways["ours"].end()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", help="one of " + ", ".join(STEPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--processor", default="native", help="its class, for the table")
    parser.add_argument("--before", nargs="*", help="checkout of another version, measured beside this one")
    parser.add_argument("--out")
    parser.add_argument("--way", choices=["ours", "plain"], help="be the process of one way")
    args = parser.parse_args()
    if args.way:
        answer(args.step, args.way, args.threads)
        return
    result = measure(args.step, args.rounds, args.threads, *args.before or ())
    result["processor"] = args.processor
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    Path(args.out).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
