"""Feature maps → packed Gram matrices."""

import collections
import logging
import math
import queue
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from texalign import InputError, networks

log = logging.getLogger(__name__)

SQRT2 = math.sqrt(2)

#: Batches that go through a network side by side on a CPU; more than that take too much memory.
MOST_WORKERS = 8


def gram_matrices(maps):
    """Gram matrices of feature maps, G = F Fᵀ (misalignment paper, Eq. 1; no division by M).

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W) or (b, N, M)
        Feature maps of N channels.

    Returns
    -------
    Tensor, shape (b, N, N)
        Differentiable, in the dtype of `maps`.
    """
    features = maps.flatten(2)
    return features @ features.transpose(1, 2)


def n_packed(channels):
    """Length of a packed Gram matrix of N channels, N(N+1)/2."""
    return channels * (channels + 1) // 2


def pack(gram):
    """Pack symmetric matrices: row-major upper triangle, off-diagonal entries times √2.

    The Euclidean distance of two packed rows is the Frobenius distance of the two matrices.

    Parameters
    ----------
    gram : Tensor or array, shape (..., N, N)

    Returns
    -------
    same type, shape (..., N(N+1)/2)
    """
    n = gram.shape[-1]
    if gram.shape[-2] != n:
        raise InputError(f"gram: matrices must be square, got shape {tuple(gram.shape)}")
    rows, columns = np.triu_indices(n)
    scale = np.where(rows == columns, 1.0, SQRT2)
    return _scaled(gram[..., rows, columns], scale)


def _scaled(values, scale):
    """Values times constants, in their own type; whole numbers become floats."""
    if isinstance(values, torch.Tensor):
        dtype = values.dtype if values.is_floating_point() else torch.get_default_dtype()
        return values * torch.as_tensor(scale, dtype=dtype, device=values.device)
    return values * (scale.astype(values.dtype) if np.issubdtype(values.dtype, np.floating) else scale)


def unpack(packed):
    """Inverse of `pack`: shape (..., N(N+1)/2) → symmetric (..., N, N)."""
    length = packed.shape[-1]
    n = (math.isqrt(8 * length + 1) - 1) // 2
    if n_packed(n) != length:
        raise InputError(f"gram: a packed row has N(N+1)/2 values; {length} is not of this form")
    rows, columns = np.triu_indices(n)
    scale = np.where(rows == columns, 1.0, 1 / SQRT2)
    values = _scaled(packed, scale)
    shape = (*packed.shape[:-1], n, n)
    gram = values.new_empty(shape) if isinstance(values, torch.Tensor) else np.empty(shape, values.dtype)
    gram[..., rows, columns] = values
    gram[..., columns, rows] = values
    return gram


def packed_gram_matrices(maps):
    """``pack(gram_matrices(maps))`` in float32, faster: only the triangle is computed, no index is gathered.

    Parameters
    ----------
    maps : Tensor, shape (b, N, H, W)
        Best in channels-last layout, in which the (M, N) matrix of an image lies contiguous. On a
        CPU, without a gradient.

    Returns
    -------
    Tensor, shape (b, N(N+1)/2), float32
    """
    n = maps.shape[1]
    features = maps.permute(0, 2, 3, 1).flatten(1, 2).float()
    if maps.device.type != "cpu":  # one gather is cheaper there than N small copies
        return pack(features.transpose(1, 2) @ features)
    features = features.numpy()
    # NumPy sees that one matrix is the other's transpose, and takes half of the product (BLAS syrk).
    products = np.matmul(features.transpose(0, 2, 1), features)
    packed = np.empty((len(maps), n_packed(n)), np.float32)
    starts = np.cumsum([0, *range(n, 1, -1)])
    for row, start in enumerate(starts):
        np.multiply(products[:, row, row:], np.float32(SQRT2), out=packed[:, start : start + n - row])
    packed[:, starts] = products.diagonal(axis1=1, axis2=2)
    return torch.from_numpy(packed)


def compute(network, blocks, write, readout="linear", max_batch=None):
    """Compute the packed Gram matrices of all images, all layers in one forward pass each.

    On a CPU the batches go side by side, each through the network in one thread: cores that share
    one batch wait for each other at each operation.

    Parameters
    ----------
    network : networks.Network
    blocks : iterable of (start, images)
        Images as uint8 (b, H, W, 3), in order.
    write : callable
        Called as ``write(layer, start, rows)`` with float32 rows of shape (b', N(N+1)/2).
    readout : {'linear', 'relu'}
    max_batch : int, optional
        Images in one forward pass at most; see `batch_size`.
    """
    threads, workers = torch.get_num_threads(), n_workers(network)
    idle = queue.SimpleQueue()
    for _ in range(workers):
        idle.put(networks.twin(network))  # hooks of one thread are not to be called in another
    limit = [max_batch or sys.maxsize]

    def run(start, images):
        twin, done, first = idle.get(), [], 0
        try:
            while first < len(images):
                part = images[first : first + limit[0]]
                try:
                    done.append((start + first, one_batch(twin, part, readout)))
                    first += len(part)
                except torch.cuda.OutOfMemoryError:
                    if len(part) == 1:
                        raise
                    limit[0] = len(part) // 2
                    torch.cuda.empty_cache()
                    log.info("the GPU's memory is full; going on with batches of %d", limit[0])
        finally:
            idle.put(twin)
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


def n_workers(network):
    """How many batches `compute` takes through a network at a time."""
    return min(torch.get_num_threads(), MOST_WORKERS) if network.device.type == "cpu" else 1


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
    """Packed Gram matrices of one batch of uint8 images, as a dict of float32 arrays (b, N(N+1)/2)."""
    rows = {}
    with torch.inference_mode():
        networks.read(
            network,
            network.preprocess(images),
            lambda layer, maps: rows.update({layer: packed_gram_matrices(maps)}),
            readout,
        )
    return {layer: values.cpu().numpy() for layer, values in rows.items()}


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
        with torch.no_grad():
            image = network.preprocess(torch.full((1, 3, size, size), 0.5))
            networks.read(network, image, lambda _layer, _maps: None)
    finally:
        for handle in handles:
            handle.remove()
    on_gpu = network.device.type == "cuda"
    on_cpu = 1e9 / max(1, n_workers(network) / 2)
    budget = budget or (torch.cuda.mem_get_info(network.device)[0] / 3 if on_gpu else on_cpu)
    largest = largest or (256 if on_gpu else 16)
    # Input and output of the widest module, and as much again for its workspace.
    return int(min(largest, max(1, budget // (2 * biggest[0]))))


def relative_errors(network, reference, images, readout="linear"):
    """Frobenius error of each layer's Gram matrices against a reference network, relative, worst image.

    What `precision: bf16` or `tf32` costs, measured on the images at hand.
    """
    ours, theirs = (one_batch(net, images, readout) for net in (network, reference))
    return {
        layer: float(
            (
                np.linalg.norm(ours[layer] - theirs[layer], axis=1) / np.linalg.norm(theirs[layer], axis=1)
            ).max()
        )
        for layer in network.layers
    }
