"""Gram matrices: by hand, packed without loss, fast and slow way alike, whatever the batches."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small import seeded
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn

from texalign import InputError, gram, networks


def symmetric(n, seed=0, batch=()):
    values = np.random.default_rng(seed).normal(size=(*batch, n, n))
    return values + np.swapaxes(values, -1, -2)


# ---------------------------------------------------------------- Eq. 1


def test_gram_matrix_by_hand():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, -1.0], [1.0, 0.0]]]])  # 2 channels, 4 positions
    assert gram.gram_matrices(maps).tolist() == [[[30, 1], [1, 2]]]  # the sum over positions, not its mean
    assert torch.equal(gram.gram_matrices(maps.flatten(2)), gram.gram_matrices(maps))


def test_gram_matrix_is_the_sum_over_positions():
    maps = torch.randn(3, 4, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = np.zeros((3, 4, 4))
    for image in range(3):
        for y in range(5):
            for x in range(6):
                column = maps[image, :, y, x].numpy()
                expected[image] += np.outer(column, column)
    np.testing.assert_allclose(gram.gram_matrices(maps).numpy(), expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(-8, 8))
def test_gram_matrix_forgets_where_and_squares_how_much(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(1, 3, 4, 5, dtype=torch.float64, generator=generator)
    expected = gram.gram_matrices(maps)
    shuffled = maps.flatten(2)[:, :, torch.randperm(20, generator=generator)]
    torch.testing.assert_close(gram.gram_matrices(shuffled), expected)
    torch.testing.assert_close(gram.gram_matrices(scale * maps), scale**2 * expected)
    assert torch.linalg.eigvalsh(expected).min() > -1e-12


def test_gram_matrix_has_the_gradient_of_finite_differences():
    maps = torch.randn(1, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gram.gram_matrices, maps)
    assert torch.autograd.gradcheck(lambda m: gram.pack(gram.gram_matrices(m)), maps)


# ---------------------------------------------------------------- packing


def test_packed_by_hand():
    root = math.sqrt(2)
    expected = [1, 2 * root, 3 * root, 4, 5 * root, 6]
    square = np.array([[1.0, 2, 3], [2, 4, 5], [3, 5, 6]])
    np.testing.assert_allclose(gram.pack(square), expected)
    np.testing.assert_allclose(gram.pack(torch.from_numpy(square)).numpy(), expected)


def test_whole_numbers_are_packed_as_well():
    square = np.array([[1, 2], [2, 3]])
    expected = [1, 2 * math.sqrt(2), 3]
    np.testing.assert_allclose(gram.pack(square), expected)
    np.testing.assert_allclose(gram.pack(torch.from_numpy(square)).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(gram.unpack(np.array([4, 0, 4])), [[4, 0], [0, 4]])


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 12),
    batch=st.sampled_from([(), (1,), (3,), (2, 2)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
    as_tensor=st.booleans(),
)
def test_unpack_is_the_inverse_in_the_same_type(n, batch, dtype, seed, as_tensor):
    square = symmetric(n, seed, batch).astype(dtype)
    given_ = torch.from_numpy(square) if as_tensor else square
    packed = gram.pack(given_)
    assert packed.shape == (*batch, n * (n + 1) // 2) == (*batch, gram.n_packed(n))
    back = gram.unpack(packed)
    assert type(packed) is type(back) is type(given_)
    assert packed.dtype == back.dtype == given_.dtype
    np.testing.assert_allclose(np.asarray(back), square, rtol=4 * np.finfo(dtype).eps)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 1000), scale=st.floats(1e-6, 1e6))
def test_distances_and_angles_survive_packing(n, seed, scale):
    a, b = symmetric(n, seed), scale * symmetric(n, seed + 1)
    p, q = gram.pack(a), gram.pack(b)
    assert np.linalg.norm(p - q) == pytest.approx(np.linalg.norm(a - b), rel=1e-12)
    assert p @ q == pytest.approx(np.vdot(a, b), rel=1e-9, abs=1e-12 * np.linalg.norm(a) * np.linalg.norm(b))


@settings(max_examples=30, deadline=None)
@given(values=arrays.arrays(np.float64, 10, elements=st.floats(-1e9, 1e9, allow_subnormal=False)))
def test_pack_is_the_inverse_of_unpack(values):
    square = gram.unpack(values)
    np.testing.assert_array_equal(square, square.T)
    np.testing.assert_allclose(gram.pack(square), values, rtol=1e-15)


@pytest.mark.parametrize("length", [2, 4, 5, 7, 131_327, 131_329])
def test_length_of_no_triangle_is_refused(length):
    for packed in (np.zeros(length), torch.zeros(3, length)):
        with pytest.raises(InputError, match=rf"N\(N\+1\)/2 values; {length} is not"):
            gram.unpack(packed)


@pytest.mark.parametrize("shape", [(2, 3), (4, 3, 2)])
def test_matrix_that_is_not_square_is_refused(shape):
    with pytest.raises(InputError, match="must be square"):
        gram.pack(np.zeros(shape))


# ---------------------------------------------------------------- the fast way


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
@pytest.mark.parametrize("n", [1, 2, 31, 127, 128, 191, 192, 193, 255, 256, 257, 300, 385])
def test_fast_way_equals_the_plain_one(n, layout):
    generator = torch.Generator().manual_seed(n)
    maps = torch.randn(2, n, 5, 7, generator=generator) + torch.rand(1, n, 1, 1, generator=generator)
    expected = gram.pack(gram.gram_matrices(maps.double()))
    fast = gram.packed_gram_matrices(maps.to(memory_format=layout))
    assert fast.dtype == torch.float32
    assert fast.shape == expected.shape
    error = torch.linalg.norm(fast - expected, dim=1) / torch.linalg.norm(expected, dim=1)
    assert error.max() < 1e-6
    # Each element, against the size of what was summed.
    norms = maps.double().flatten(2).norm(dim=2)
    bound = gram.pack(norms[:, :, None] * norms[:, None, :])
    assert ((fast - expected).abs() <= 1e-6 * bound).all()


def test_half_precision_maps_are_summed_in_float32():
    maps = torch.rand(1, 8, 40, 40, generator=torch.Generator().manual_seed(0)).bfloat16()
    expected = gram.pack(gram.gram_matrices(maps.double()))
    fast = gram.packed_gram_matrices(maps)
    assert ((fast - expected).abs() < 1e-5 * expected).all()


def test_maps_are_left_alone():
    for n in (3, 200):
        maps = torch.randn(1, n, 3, 3).to(memory_format=torch.channels_last)
        before = maps.clone()
        gram.packed_gram_matrices(maps)
        assert torch.equal(maps, before)


# ---------------------------------------------------------------- a whole image set


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
    """Rows of every layer as `compute` writes them, and where it writes them."""
    rows, starts = {}, []

    def write(layer, start, values):
        assert values.dtype == np.float32
        assert start == sum(map(len, rows.setdefault(layer, [])))  # in order, without a gap
        rows[layer].append(values)
        starts.append((layer, start, len(values)))

    gram.compute(network, blocks_of(images, block), write, **options)
    return {layer: np.concatenate(parts) for layer, parts in rows.items()}, starts


@pytest.mark.parametrize("readout", networks.READOUTS)
def test_rows_are_the_gram_matrices_of_the_feature_maps(network, images, readout):
    rows, _ = computed(network, images, 23, readout=readout)
    with torch.no_grad():
        maps = networks.feature_maps(network, network.preprocess(images), readout)
    assert list(rows) == ["L1", "L2"]
    for layer, values in rows.items():
        expected = gram.pack(gram.gram_matrices(maps[layer].double())).numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


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
    if threads <= gram.MOST_WORKERS:
        assert all(np.array_equal(rows[layer], expected[layer]) for layer in rows)
    for layer, values in rows.items():
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-6 * expected[layer].max())


def test_products_of_batches_side_by_side_take_a_thread_each(network, images, monkeypatch):
    """Otherwise each product would wait for the other's threads of the BLAS."""
    threads, one_batch, before = [], gram.one_batch, torch.get_num_threads()

    def watched(*arguments):
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return one_batch(*arguments)

    monkeypatch.setattr(gram, "one_batch", watched)
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

    def write(layer, start, _rows):
        written.append((layer, start))
        assert len(begun) - len(written) / 2 <= 2 * gram.n_workers(network) + 1.5

    gram.compute(network, blocks(), write)
    assert len(written) == 600


def test_a_fault_in_a_batch_ends_the_run(network, images, monkeypatch):
    def broken(*_):
        raise ValueError("the fault")

    monkeypatch.setattr(gram, "one_batch", broken)
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


def test_a_batch_is_one_product_of_which_half_is_taken(monkeypatch):
    """NumPy calls BLAS's syrk where one operand is the other's transpose, in the same memory."""
    calls, matmul = [], np.matmul
    monkeypatch.setattr(np, "matmul", lambda a, b: calls.append((a, b)) or matmul(a, b))
    maps = torch.rand(2, 300, 7, 5).to(memory_format=torch.channels_last)
    gram.packed_gram_matrices(maps)
    ((a, b),) = calls
    assert a.shape == (2, 300, 35)
    assert a.transpose(0, 2, 1).strides == b.strides
    assert a.ctypes.data == b.ctypes.data == maps.data_ptr()  # channels-last maps are not copied


def test_full_gpu_memory_halves_the_batch(network, images, monkeypatch):
    expected, _ = computed(network, images, 64)
    tried = []
    one_batch = gram.one_batch

    def crowded(network, part, readout):
        tried.append(len(part))
        if len(part) > 3:
            raise torch.cuda.OutOfMemoryError("full")
        return one_batch(network, part, readout)

    monkeypatch.setattr(gram, "one_batch", crowded)
    rows, _ = computed(network, images, 64, max_batch=16)
    assert tried == [16, 8, 4, *[2] * 11, 1]
    for layer, values in rows.items():
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-6 * expected[layer].max())
    monkeypatch.setattr(gram, "one_batch", lambda *_: crowded(network, range(9), "linear"))
    with pytest.raises(torch.cuda.OutOfMemoryError):  # one image does not fit either
        computed(network, images, 64, max_batch=1)


# ---------------------------------------------------------------- batches and precision


def test_batch_size_is_within_its_bounds(network, monkeypatch):
    # The widest module is the first ReLU's or BatchNorm's 8 x 18 x 18 or the second convolution and
    # what follows it, 200 x 8 x 8 in and out; each twice.
    widest = 2 * 2 * 200 * 8 * 8 * 4
    assert gram.batch_size(network, 20) == 16
    monkeypatch.setattr(gram, "n_workers", lambda _: 8)
    assert gram.batch_size(network, 400) < 16
    monkeypatch.undo()
    assert gram.batch_size(network, 20, budget=1) == 1
    assert gram.batch_size(network, 20, budget=5 * widest) == 5
    assert gram.batch_size(network, 20, budget=6 * widest - 1) == 5
    assert gram.batch_size(network, 20, largest=3) == 3
    assert gram.batch_size(network, 20, largest=64) == 64
    assert isinstance(gram.batch_size(network, 20), int)
    assert not any(module._forward_hooks for module in network.module.modules())


def test_batch_size_takes_less_of_larger_images(network):
    sizes = [gram.batch_size(network, size, budget=2e7, largest=1000) for size in (16, 32, 64, 128)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


def test_batch_size_costs_one_pass_of_one_image_and_leaves_no_hook_after_an_error(network):
    counts, handle = count_images(network)
    gram.batch_size(network, 20)
    handle.remove()
    assert counts == [1]
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1200, 3)).eval()
    broken = networks.Network(flat, {"L1": "1"})
    with pytest.raises(InputError):
        gram.batch_size(broken, 20)
    assert not any(module._forward_hooks for module in flat.modules())


def test_error_of_bf16_is_told_and_small(network, images):
    rough = networks.set_precision(network, "bf16")
    errors = gram.relative_errors(rough, network, images[:4])
    assert list(errors) == ["L1", "L2"]
    assert all(1e-5 < error < 2e-2 for error in errors.values())
    # By hand.
    ours, theirs = (gram.one_batch(net, images[:4])["L1"].astype(float) for net in (rough, network))
    worst = max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(ours, theirs, strict=True))
    assert errors["L1"] == pytest.approx(worst, rel=1e-4)
    assert set(gram.relative_errors(network, network, images[:4]).values()) == {0.0}
