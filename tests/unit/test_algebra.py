"""Gram matrices: by hand, packed without loss, the fast and the slow way alike."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from texalign import InputError, gram


def symmetric(n, seed=0, batch=()):
    values = np.random.default_rng(seed).normal(size=(*batch, n, n))
    return values + np.swapaxes(values, -1, -2)


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
