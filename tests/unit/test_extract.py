"""The feature pass: the same rows whatever the batches and threads, in bounded memory."""

import numpy as np
import pytest
import torch
from small import seeded
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn

from texalign import InputError, gram, networks
from texalign.fast.precision import computing_in
from texalign.fast.threads import MOST_WORKERS
from texalign.gram import extract
from texalign.readout import READOUTS, feature_maps


@pytest.fixture(scope="module")
def network():
    """Two layers, in-place ReLU between, 8 and 200 channels: one below and one above the block's bound."""
    return seeded(
        lambda: nn.Sequential(
            *[nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True)],
            *[nn.Conv2d(8, 200, 3, stride=2), nn.BatchNorm2d(200), nn.ReLU(inplace=True)],
            nn.Conv2d(200, 9, 3),
        ),
        "1",
        "4",
    )


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (23, 20, 20, 3), dtype=np.uint8)


def blocks_of(images, size):
    return [(start, images[start : start + size]) for start in range(0, len(images), size)]


def computed(network, images, block, **options):
    """Rows of every layer as `compute` writes them, the means behind, and where it writes them."""
    rows, starts = {}, []

    def write(layer, start, summary):
        assert {values.dtype for values in summary} == {np.dtype(np.float32)}
        assert start == sum(map(len, rows.setdefault(layer, [])))  # in order, without a gap
        rows[layer].append(np.concatenate(summary, axis=1))
        starts.append((layer, start, len(summary.gram)))

    extract.compute(network, blocks_of(images, block), write, **options)
    return {layer: np.concatenate(parts) for layer, parts in rows.items()}, starts


@pytest.mark.parametrize("readout", READOUTS)
def test_rows_are_the_gram_matrices_and_means_of_the_feature_maps(network, images, readout):
    rows, _ = computed(network, images, 23, readout=readout)
    with torch.no_grad():
        maps = feature_maps(network, network.preprocess(images), readout)
    assert list(rows) == ["L1", "L2"]
    for layer, values in rows.items():
        expected = gram.pack(gram.gram_matrices(maps[layer].double())).numpy()
        length = expected.shape[1]
        np.testing.assert_allclose(
            values[:, :length], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max()
        )
        means = maps[layer].double().mean((2, 3)).numpy()
        np.testing.assert_allclose(values[:, length:], means, rtol=1e-4, atol=1e-6 * np.abs(means).max())


@pytest.mark.parametrize("options", [{"max_batch": 1}, {"max_batch": 4}, {"max_batch": 7}, {"max_batch": 99}])
@pytest.mark.parametrize("block", [1, 5, 64])
def test_batches_do_not_show(network, images, block, options):
    expected, _ = computed(network, images, 64)
    rows, starts = computed(network, images, block, **options)
    assert max(count for _, _, count in starts) <= min(block, options["max_batch"])
    for layer, values in rows.items():
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-6 * expected[layer].max())


@pytest.mark.parametrize("threads", [2, 3, 20])
def test_threads_do_not_show(network, images, threads):
    """Each batch goes through the network in one thread, so that the bits are the same for any number."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected, _ = computed(network, images, 9, max_batch=2)
        torch.set_num_threads(threads)
        rows, _ = computed(network, images, 9, max_batch=2)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    if threads <= MOST_WORKERS:
        assert all(np.array_equal(rows[layer], expected[layer]) for layer in rows)
    for layer, values in rows.items():
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-6 * expected[layer].max())


def test_products_of_batches_side_by_side_take_a_thread_each(network, images, monkeypatch):
    """Otherwise each product would wait for the other's threads of the BLAS."""
    threads, one_batch, before = [], extract.one_batch, torch.get_num_threads()

    def watched(*arguments):
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return one_batch(*arguments)

    monkeypatch.setattr(extract, "one_batch", watched)
    try:
        torch.set_num_threads(2)
        with threadpool_limits(2, user_api="blas"):
            computed(network, images, 9)
            assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {2}
    finally:
        torch.set_num_threads(before)
    assert set(threads) == {1}


def test_batches_are_begun_only_as_far_ahead_as_is_needed(network, images):
    """However many images there are, a few batches a thread are held in memory."""
    begun, written = [], []

    def blocks():
        for start in range(0, 600, 2):
            begun.append(start)
            yield start, images[:2]

    def write(layer, start, _summary):
        written.append((layer, start))
        assert len(begun) - len(written) / 2 <= 2 * extract.n_workers(network) + 1.5

    extract.compute(network, blocks(), write)
    assert len(written) == 600


def test_a_fault_in_a_batch_ends_the_run(network, images, monkeypatch):
    def broken(*_):
        raise ValueError("the fault")

    monkeypatch.setattr(extract, "one_batch", broken)
    with pytest.raises(ValueError, match="the fault"):
        computed(network, images, 3)


def test_order_of_the_images_is_the_order_of_the_rows(network, images):
    order = np.random.default_rng(1).permutation(len(images))
    expected, _ = computed(network, images, 7)
    shuffled, _ = computed(network, images[order], 7)
    for layer, values in shuffled.items():
        scale = expected[layer].max()
        np.testing.assert_allclose(values, expected[layer][order], rtol=1e-4, atol=1e-6 * scale)


def test_same_run_same_bits(network, images):
    first, second = (computed(network, images, 7, max_batch=3)[0] for _ in range(2))
    assert all(np.array_equal(first[layer], second[layer]) for layer in first)


def count_images(network):
    """Hook that notes how many images each forward pass takes."""
    counts = []
    handle = network.module[0].register_forward_pre_hook(lambda _, inputs: counts.append(len(inputs[0])))
    return counts, handle


def test_each_image_goes_once_through_the_network_whatever_the_layers(network, images):
    last = []
    counts, handle = count_images(network)
    tail = network.module[6].register_forward_pre_hook(lambda *_: last.append(1))
    try:
        computed(network, images, 8, max_batch=5)
    finally:
        handle.remove()
        tail.remove()
    assert counts == [5, 3, 5, 3, 5, 2]
    assert not last  # the pass stops behind the deepest layer


def test_full_gpu_memory_halves_the_batch(network, images, monkeypatch):
    expected, _ = computed(network, images, 64)
    tried = []
    one_batch = extract.one_batch

    def crowded(network, part, readout):
        tried.append(len(part))
        if len(part) > 3:
            raise torch.cuda.OutOfMemoryError("full")
        return one_batch(network, part, readout)

    monkeypatch.setattr(extract, "one_batch", crowded)
    rows, _ = computed(network, images, 64, max_batch=16)
    assert tried == [16, 8, 4, *[2] * 11, 1]
    for layer, values in rows.items():
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-6 * expected[layer].max())
    monkeypatch.setattr(extract, "one_batch", lambda *_: crowded(network, range(9), "linear"))
    with pytest.raises(torch.cuda.OutOfMemoryError):  # one image does not fit either
        computed(network, images, 64, max_batch=1)


def test_batch_size_is_within_its_bounds(network, monkeypatch):
    # The widest module is the first ReLU's or BatchNorm's 8 x 18 x 18 or the second convolution and
    # what follows it, 200 x 8 x 8 in and out; each twice.
    widest = 2 * 2 * 200 * 8 * 8 * 4
    assert extract.batch_size(network, 20) == 16
    monkeypatch.setattr(extract, "n_workers", lambda _: 8)
    assert extract.batch_size(network, 400) < 16
    monkeypatch.undo()
    assert extract.batch_size(network, 20, budget=1) == 1
    assert extract.batch_size(network, 20, budget=5 * widest) == 5
    assert extract.batch_size(network, 20, budget=6 * widest - 1) == 5
    assert extract.batch_size(network, 20, largest=3) == 3
    assert extract.batch_size(network, 20, largest=64) == 64
    assert isinstance(extract.batch_size(network, 20), int)
    assert not any(module._forward_hooks for module in network.module.modules())


def test_batch_size_takes_less_of_larger_images(network):
    sizes = [extract.batch_size(network, size, budget=2e7, largest=1000) for size in (16, 32, 64, 128)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


def test_batch_size_costs_one_pass_of_one_image_and_leaves_no_hook_after_an_error(network):
    counts, handle = count_images(network)
    extract.batch_size(network, 20)
    handle.remove()
    assert counts == [1]
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1200, 3)).eval()
    broken = networks.Network(flat, {"L1": "1"})
    with pytest.raises(InputError):
        extract.batch_size(broken, 20)
    assert not any(module._forward_hooks for module in flat.modules())


def test_error_of_bf16_is_told_and_small(network, images):
    reference = extract.one_batch(network, images[:4])
    with computing_in(network, "bf16") as rough:
        errors = extract.relative_errors(rough, reference, images[:4])
        ours, theirs = (
            extract.one_batch(net, images[:4])["L1"].gram.astype(float) for net in (rough, network)
        )
    assert list(errors) == ["L1", "L2"]
    assert all(1e-5 < error < 2e-2 for error in errors.values())
    # By hand.
    worst = max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(ours, theirs, strict=True))
    assert errors["L1"] == pytest.approx(worst, rel=1e-4)
    assert set(extract.relative_errors(network, reference, images[:4]).values()) == {0.0}
