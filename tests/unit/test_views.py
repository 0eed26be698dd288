"""What is shown of tables and arrays, before it is drawn."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from texalign import views


@pytest.mark.parametrize(("n", "pixels"), [(12, 4), (12, 12), (12, 50), (23, 7), (2, 900)])
def test_reduced_rdm_is_the_block_mean(rng, n, pixels):
    condensed = rng.uniform(size=n * (n - 1) // 2).astype(np.float32)
    reduced, square = views.reduce_rdm(condensed, n, pixels), squareform(condensed.astype(float))
    edges = np.linspace(0, n, min(n, pixels) + 1).round().astype(int)
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    naive = [[square[np.ix_(a, b)].mean() for b in blocks] for a in blocks]
    np.testing.assert_allclose(reduced, naive, rtol=1e-12)
    np.testing.assert_array_equal(reduced, reduced.T)


def test_reduced_rdm_refuses_the_wrong_size():
    with pytest.raises(ValueError, match="4 textures need 6"):
        views.reduce_rdm(np.zeros(5), 4)


@pytest.mark.parametrize(("classes", "clusters"), [(4, 4), (3, 6), (6, 3)])
def test_matched_order_finds_the_hidden_diagonal(rng, classes, clusters):
    diagonal = np.eye(classes, clusters, dtype=int) * np.arange(90, 90 - clusters, -1)
    rows, columns = rng.permutation(classes), rng.permutation(clusters)
    hidden = (diagonal + 1)[np.ix_(rows, columns)]
    found_rows, found_columns = views.matched_order(hidden)
    assert sorted(found_rows) == list(range(classes))
    assert sorted(found_columns) == list(range(clusters))
    side = min(classes, clusters)
    assert (np.diag(hidden[np.ix_(found_rows, found_columns)])[:side] > 80).all()
