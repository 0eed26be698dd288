"""Condensed matrices: which pair an entry is, and the square."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform

from texalign.geometry.condensed import (
    condensed_length,
    condensed_rows,
    pairs_of,
    pairs_with,
    part_of,
    square,
    square_rows,
)


@pytest.mark.parametrize("n", [2, 3, 4, 17, 60])
def test_pairs_of_every_condensed_index(n):
    pairs = np.array(list(itertools.combinations(range(n), 2)))
    i, j = pairs_of(np.arange(condensed_length(n)), n)
    np.testing.assert_array_equal(np.stack([i, j], 1), pairs)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(2, 20_000), share=st.floats(0, 1))
def test_pairs_of_large_sets(n, share):
    index = int(share * (condensed_length(n) - 1))
    i, j = (int(x[0]) for x in pairs_of(np.array([index]), n))
    assert 0 <= i < j < n
    assert n * i - i * (i + 1) // 2 + (j - i - 1) == index


@pytest.mark.parametrize("n", [1, 2, 3, 30, 101])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_square_is_scipys(n, dtype):
    condensed = np.random.default_rng(n).random(n * (n - 1) // 2).astype(dtype)
    full = square(condensed)
    assert full.dtype == dtype
    assert full.shape == (n, n)
    if n > 1:
        np.testing.assert_array_equal(full, squareform(condensed))


@pytest.mark.parametrize("n", [1, 2, 3, 17])
def test_rows_cover_a_condensed_matrix_in_order(n):
    parts = [(i, part.start, part.stop) for i, part in condensed_rows(n)]
    assert [i for i, _, _ in parts] == list(range(n - 1))
    assert [stop - start for _, start, stop in parts] == list(range(n - 1, 0, -1))
    ends = [0, *(stop for _, _, stop in parts)]
    assert [start for _, start, _ in parts] == ends[:-1]
    assert ends[-1] == condensed_length(n)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_pairs_with_a_row_are_those_of_all_pairs(n):
    pairs = list(itertools.combinations(range(n), 2))
    for row in range(n):
        expected = [index for index, pair in enumerate(pairs) if row in pair]
        assert pairs_with(row, n).tolist() == expected


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 12), data=st.data())
def test_some_textures_and_some_rows_are_those_of_the_square(n, data):
    condensed = np.random.default_rng(n).random(condensed_length(n)).astype(np.float32)
    full = square(condensed)
    first = data.draw(st.integers(0, n - 1))
    last = data.draw(st.integers(first + 1, n))
    np.testing.assert_array_equal(square_rows(condensed, first, last, n), full[first:last])
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), int)
    expected = full[np.ix_(chosen, chosen)][np.triu_indices(len(chosen), 1)]
    np.testing.assert_array_equal(part_of(condensed, chosen, n), expected)
