"""The feature pass: all images through a network, each layer's maps → packed Gram matrices and means."""

import collections
import logging
import queue
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from texalign.errors import InputError
from texalign.fast.threads import as_a_worker, n_workers
from texalign.gram.algebra import channel_means, packed_gram_matrices
from texalign.gram.packing import diagonal
from texalign.readout import read, twin

log = logging.getLogger(__name__)


class Summary(NamedTuple):
    """What is kept of a batch's feature maps, float32.

    Attributes
    ----------
    gram : array, shape (b, N(N+1)/2)
        Packed Gram matrices.
    mean : array, shape (b, N)
        Means of the channels.
    """

    gram: np.ndarray
    mean: np.ndarray


def compute(network, blocks, write, readout="linear", max_batch=None, of_batch=None):
    """Compute packed Gram matrices and channel means of all images, all layers in one forward pass each.

    On a CPU the batches go side by side, each through the network in one thread: cores that share
    one batch wait for each other at each operation.

    Parameters
    ----------
    network : networks.Network
    blocks : iterable of (start, images)
        Images as uint8 (b, H, W, 3), in order.
    write : callable
        Called as ``write(layer, start, summary)`` with a `Summary` of some images.
    readout : {'linear', 'relu'}
    max_batch : int, optional
        Images in one forward pass at most; see `batch_size`.
    of_batch : callable, optional
        What is kept of a batch, called and written as `one_batch`, which it replaces.
    """
    threads, workers = torch.get_num_threads(), n_workers(network)
    idle = queue.SimpleQueue()
    for _ in range(workers):
        idle.put(twin(network))  # hooks of one thread are not to be called in another
    limit = [max_batch or sys.maxsize]

    def run(start, images):
        own, done, first = idle.get(), [], 0
        try:
            while first < len(images):
                part = images[first : first + limit[0]]
                try:
                    done.append((start + first, (of_batch or one_batch)(own, part, readout)))
                    first += len(part)
                except torch.cuda.OutOfMemoryError:
                    if len(part) == 1:
                        raise
                    limit[0] = len(part) // 2
                    torch.cuda.empty_cache()
                    log.info("the GPU's memory is full; going on with batches of %d", limit[0])
        finally:
            idle.put(own)
        return done

    parts = (
        (start + first, images[first : first + (max_batch or len(images))])
        for start, images in blocks
        for first in range(0, len(images), max_batch or len(images))
    )
    share = threads // workers
    try:
        with (
            threadpool_limits(share, user_api="blas"),
            ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=[share]) as pool,
        ):
            for done in _in_order(pool, run, parts, 2 * workers):
                for start, rows in done:
                    for layer, values in rows.items():
                        write(layer, start, values)
    finally:
        torch.set_num_threads(threads)


def _in_order(pool, function, items, ahead):
    """Results of ``function(*item)`` in the order of the items, of which `ahead` are begun."""
    waiting = collections.deque()
    for item in items:
        waiting.append(pool.submit(function, *item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def one_batch(network, images, readout="linear"):
    """`Summary` of one batch of uint8 images, by layer."""
    found = {}

    def visit(layer, maps):
        found[layer] = packed_gram_matrices(maps), channel_means(maps)

    with torch.inference_mode():
        read(network, network.preprocess(images), visit, readout)
    return {layer: Summary(*(values.cpu().numpy() for values in both)) for layer, both in found.items()}


def check_finite(rows, channels, layer, names):
    """Refuse Gram matrices that are not finite, before they cost hours.

    Parameters
    ----------
    rows : array, shape (b, N(N+1)/2)
        Packed Gram matrices.
    channels : int
        N. The diagonal tells: an entry off it is no larger than the two on it that it stands between.
    layer : str
        What the layer is called in errors.
    names : sequence of str
        Files of the textures.

    Raises
    ------
    InputError
        It names the texture and the layer.
    """
    sound = np.isfinite(rows[:, diagonal(channels)]).all(axis=1)
    if not sound.all():
        raise InputError(
            f"{names[int(np.argmin(sound))]}: the Gram matrix of layer {layer} is not finite (NaN or too "
            "large); are the weights sound?"
        )


def batch_size(network, size, budget=None, largest=None):
    """How many images to take in one forward pass.

    On a CPU, 16 is as fast as any larger number; on a GPU more is better. From three threads on, the
    batches that `compute` takes side by side share what two may take.

    Parameters
    ----------
    network : networks.Network
    size : int
        Pixels of an image's side.
    budget : float, optional
        Bytes that the feature maps of a batch may take; 1 GB on a CPU, a third of what is free on a
        GPU.
    largest : int, optional
        Instead of 16 on a CPU and 256 on a GPU.
    """
    biggest = [1]

    def note(_module, inputs, output):
        tensors = [t for t in (*inputs, output) if isinstance(t, torch.Tensor)]
        biggest[0] = max(biggest[0], sum(t.numel() * t.element_size() for t in tensors))

    handles = [m.register_forward_hook(note) for m in network.module.modules() if not list(m.children())]
    try:
        with torch.no_grad(), as_a_worker(network):
            image = network.preprocess(torch.full((1, 3, size, size), 0.5))
            read(network, image, lambda _layer, _maps: None)
    finally:
        for handle in handles:
            handle.remove()
    on_gpu = network.device.type == "cuda"
    on_cpu = 1e9 / max(1, n_workers(network) / 2)
    budget = budget or (torch.cuda.mem_get_info(network.device)[0] / 3 if on_gpu else on_cpu)
    largest = largest or (256 if on_gpu else 16)
    # Input and output of the widest module, and as much again for its workspace.
    return int(min(largest, max(1, budget // (2 * biggest[0]))))


def relative_errors(network, theirs, images, readout="linear"):
    """Frobenius error of each layer's Gram matrices against those of a reference, relative, worst image.

    What `precision: bf16` or `tf32` costs, measured on the images at hand. The reference is taken
    before: inside `texalign.fast.precision.computing_in` it would compute in tf32 too.

    Parameters
    ----------
    network : networks.Network
    theirs : dict of str to Summary
        As `one_batch` gives them, of the reference.
    images : array, uint8, shape (b, H, W, 3)
    readout : {'linear', 'relu'}
    """
    ours = one_batch(network, images, readout)
    return {
        layer: float(
            (
                np.linalg.norm(ours[layer].gram - theirs[layer].gram, axis=1)
                / np.linalg.norm(theirs[layer].gram, axis=1)
            ).max()
        )
        for layer in network.layers
    }
