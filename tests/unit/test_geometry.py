"""RDMs, Ward trees and clusterings: against SciPy and scikit-learn, to the accuracy that is promised."""

import itertools
import shutil

import numpy as np
import pytest
import scipy.cluster.hierarchy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from texalign import InputError, geometry, store

#: What `geometry.rdms` promises, for cosine distances from the second on.
BOUND, SMALLEST_COSINE = 1e-3, 1e-9


def random(n, d, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def exact(rows):
    """Euclidean and cosine distances from float64 differences: of the rows, of the rows' directions."""
    rows = np.asarray(rows, np.float64)
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return pdist(rows), pdist(directions) ** 2 / 2


def worst(rows):
    """Largest relative errors of `rdms`; an exact zero must be exact."""
    euclidean, cosine, _ = geometry.rdms(rows)
    true_euclidean, true_cosine = exact(rows)
    apart = true_euclidean > 0
    assert (euclidean[~apart] == 0).all()
    assert (np.abs(cosine[~apart]) < SMALLEST_COSINE).all()
    measured = true_cosine > SMALLEST_COSINE
    assert (np.abs(cosine - true_cosine)[~measured] < 1.1 * SMALLEST_COSINE).all()
    errors = (
        np.abs(euclidean[apart] / true_euclidean[apart] - 1),
        np.abs(cosine[measured] / true_cosine[measured] - 1),
    )
    return tuple(e.max(initial=0) for e in errors)


class Counted:
    """Rows that note how often each element is read, as an HDF5 dataset would be."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype
        self.reads = np.zeros(rows.shape, int)
        self.calls = 0

    def __getitem__(self, key):
        self.calls += 1
        self.reads[key] += 1
        return self.rows[key].copy()


# ---------------------------------------------------------------- against SciPy


@pytest.mark.parametrize("slab", [1, 7, 64, 4096])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (13, 64), (40, 65), (30, 300)])
def test_rdms_equal_scipy(monkeypatch, n, d, slab):
    monkeypatch.setattr(geometry, "SLAB", slab)
    rows = np.abs(random(n, d, seed=n))
    euclidean, cosine, norms2 = geometry.rdms(rows)
    assert euclidean.shape == cosine.shape == (geometry.condensed_length(n),)
    assert euclidean.dtype == cosine.dtype == np.float32
    assert norms2.dtype == np.float64
    np.testing.assert_allclose(euclidean, pdist(rows.astype(float)), rtol=1e-4)
    np.testing.assert_allclose(cosine, pdist(rows.astype(float), "cosine"), rtol=BOUND, atol=1e-9)
    np.testing.assert_allclose(norms2, (rows.astype(float) ** 2).sum(axis=1), rtol=1e-12)


def test_distances_by_hand():
    rows = np.array([[3.0, 0], [0, 4], [-3, 0]], np.float32)
    np.testing.assert_allclose(geometry.rdm(rows), [5, 6, 5], rtol=1e-6)
    np.testing.assert_allclose(geometry.rdm(rows, "cosine"), [1, 2, 1], rtol=1e-6)
    with pytest.raises(InputError, match=r"metric: 'manhattan'.*euclidean, cosine"):
        geometry.rdm(rows, "manhattan")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_left_alone(dtype, order):
    rows = random(9, 30).astype(dtype, order=order)
    rows[1] = rows[0] * (1 + 1e-4)  # a near pair: the rows are read a second time
    before = rows.copy()
    geometry.rdms(rows)
    np.testing.assert_array_equal(rows, before)


def test_rows_of_an_hdf5_dataset(tmp_path):
    rows = random(70, 5000)
    with store.create_h5(tmp_path / "rows.h5") as file:
        writer = store.RowWriter(file, "gram", *rows.shape)
        writer.append(rows)
        writer.flush()
    with store.open_h5(tmp_path / "rows.h5") as file:
        from_file = geometry.rdms(file["gram"])
    for ours, theirs in zip(from_file, geometry.rdms(rows), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), power=st.integers(-6, 6))
def test_scale_and_order_of_the_rows(seed, power):
    rng = np.random.default_rng(seed)
    rows = np.abs(random(12, 40, seed))
    euclidean, cosine, _ = geometry.rdms(rows)
    scaled, same, _ = geometry.rdms(rows * np.float32(10.0**power))
    np.testing.assert_allclose(scaled, euclidean * 10.0**power, rtol=1e-4)
    np.testing.assert_allclose(same, cosine, rtol=BOUND)
    order = rng.permutation(12)
    shuffled = geometry.square(geometry.rdm(rows[order]))
    np.testing.assert_allclose(shuffled, geometry.square(euclidean)[np.ix_(order, order)], rtol=1e-4)


def test_packed_gram_matrices_have_frobenius_distances():
    from texalign import gram

    squares = random(10, 20).reshape(10, 4, 5)
    squares = squares @ squares.transpose(0, 2, 1)
    expected = [np.linalg.norm(a - b) for a, b in itertools.combinations(squares, 2)]
    np.testing.assert_allclose(geometry.rdm(gram.pack(squares)), expected, rtol=1e-4)


# ---------------------------------------------------------------- accuracy, trap 9


@pytest.mark.parametrize("edit", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
@pytest.mark.parametrize("d", [500, 9000])
def test_near_duplicates(edit, d):
    rows = np.abs(random(30, d))
    rows[10:20] = rows[:10] * (1 + edit * random(10, d, 1))
    euclidean, cosine = worst(rows)
    assert euclidean < BOUND
    assert cosine < BOUND


@pytest.mark.parametrize("factor", [1 + 1e-6, 1.001, 1.5, 100, 1e4])
def test_scaled_copies_have_no_angle_and_their_distance(factor):
    rows = np.abs(random(20, 600))
    rows[10:] = rows[:10] * np.float32(factor)
    euclidean, _ = worst(rows)
    assert euclidean < BOUND
    pairs = np.ravel_multi_index((np.arange(10), np.arange(10, 20)), (20, 20))
    assert geometry.square(geometry.rdm(rows, "cosine")).ravel()[pairs].max() < 1e-12


@pytest.mark.parametrize("ratio", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_low_norms_beside_high_ones(ratio):
    rows = np.abs(random(30, 700))
    rows[::2] *= np.float32(ratio)
    assert max(worst(rows)) < BOUND


@pytest.mark.parametrize("common", [1e1, 1e2, 1e3, 1e4, 1e5])
@pytest.mark.parametrize("kind", ["constant", "random"])
def test_huge_common_component(common, kind):
    shared = np.ones(9000) if kind == "constant" else random(1, 9000, 5)[0]
    rows = (common * shared + random(25, 9000, dtype=float)).astype(np.float32)
    assert max(worst(rows)) < BOUND


def test_rows_along_one_line_differ_in_length_alone():
    # Products of float32 with equal digits round all the same way, and the angles are roundings only.
    lengths = np.random.default_rng(0).uniform(0.1, 3, 20)[:, None]
    for line in (np.ones(9000), np.full(9000, np.pi), np.random.default_rng(1).random(9000)):
        assert max(worst((lengths * line).astype(np.float32))) < BOUND


def test_exact_duplicates_are_at_distance_zero():
    rows = np.abs(random(12, 5000))
    rows[3] = rows[7] = rows[0]
    rows[11] = rows[5]
    euclidean, cosine, _ = geometry.rdms(rows)
    zero = geometry.square(euclidean) == 0
    np.fill_diagonal(zero, False)
    assert {tuple(map(int, pair)) for pair in np.argwhere(zero) if pair[0] < pair[1]} == {
        *[(0, 3), (0, 7), (3, 7), (5, 11)]
    }
    assert (geometry.square(cosine)[zero] == 0).all()


@pytest.mark.parametrize("n", [2, 5, 100])
def test_all_rows_the_same(n):
    euclidean, cosine, _ = geometry.rdms(np.tile(np.abs(random(1, 4500)), (n, 1)))
    assert (euclidean == 0).all()
    assert (np.abs(cosine) < 1e-12).all()


@settings(max_examples=80, deadline=None)
@given(
    common=st.floats(-2, 5),
    edit=st.floats(-7, 0),
    stretch=st.floats(-7, 1),
    collinear=st.booleans(),
    shared=st.sampled_from(["constant", "positive", "signed", "zero"]),
    seed=st.integers(0, 100),
)
@example(common=-0.7, edit=-5.0, stretch=-4.0, collinear=True, shared="constant", seed=0)
@example(common=3.0, edit=-6.0, stretch=-2.0, collinear=True, shared="constant", seed=1)
def test_no_construction_breaks_the_bound(common, edit, stretch, collinear, shared, seed):
    rng = np.random.default_rng(seed)
    d = 5000
    base = {
        "constant": np.ones(d),
        "positive": rng.random(d),
        "signed": rng.normal(size=d),
        "zero": np.zeros(d),
    }[shared]
    varied = rng.normal(size=(10, 1)) * (base + (shared == "zero")) if collinear else rng.normal(size=(10, d))
    rows = 10.0**common * base * rng.uniform(0.9, 1.1, (10, 1)) + varied
    rows[1] = rows[0] + 10.0**edit * rng.normal(size=d)
    rows[3] = rows[2] * (1 + 10.0**stretch)
    rows[5] = rows[4] * (1 + 10.0**stretch) + 10.0**edit * rng.normal(size=d)
    rows[7] = rows[6] * 10.0**-stretch
    # Float32 sums of equal terms round all one way.
    bound = 5 * BOUND if collinear and shared in ("constant", "zero") else BOUND
    assert max(worst(rows.astype(np.float32))) < bound


@pytest.mark.parametrize("share", [0.7, 0.99, 1.01, 1.3])
def test_pairs_at_the_bound_of_being_near(share):
    rows = random(40, 8192, dtype=float)
    norms2 = (rows[:20] ** 2).sum(axis=1, keepdims=True)
    step = random(20, 8192, 1, float)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    rows[20:] = rows[:20] + np.sqrt(share * geometry.NEAR * 2 * norms2) * step
    assert max(worst(rows.astype(np.float32))) < BOUND / 2


def two_crowds(n, edit, d=300):
    """Two crowds of near-duplicates, far apart: half of all pairs are near."""
    rows = np.repeat(np.abs(random(2, d, dtype=float)), n // 2, axis=0)
    return (rows * (1 + edit * random(n, d, 1, float))).astype(np.float32)


@pytest.mark.parametrize("edit", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_crowds_of_near_duplicates_go_through_float64(monkeypatch, edit):
    dtypes, products = [], geometry._products
    monkeypatch.setattr(
        geometry, "_products", lambda rows, dtype: dtypes.append(dtype) or products(rows, dtype)
    )
    rows = two_crowds(100, edit)
    assert max(worst(rows)) < BOUND
    assert dtypes == [np.float32, np.float64]


@pytest.mark.parametrize("edit", [1e-1, 1e-2, 1e-3, 1e-4])
def test_multiples_of_one_matrix_and_a_little_more_stay_in_float32(edit):
    """Untrained networks give such Gram matrices: the mean goes apart, what is left has all its digits."""
    rng = np.random.default_rng(0)
    common = np.abs(random(1, 9000, dtype=float))
    rows = rng.uniform(0.5, 2, (60, 1)) * (common + edit * random(60, 9000, 1, float))
    rows = Counted(rows.astype(np.float32))
    geometry.rdms(rows)
    assert (rows.reads == 1).all()
    assert max(worst(rows.rows)) < BOUND / 10


@pytest.mark.parametrize("sampled", ["unlike the others", "cancel out", "huge"])
def test_rows_that_the_mean_is_taken_of_may_be_unlike_the_others(sampled):
    """The mean of 600 rows is that of every third: whatever it is, the distances are the same."""
    rows = np.abs(random(600, 300, dtype=float))
    rows[1::3] = rows[1] * (1 + 1e-3 * random(200, 300, 1, float))  # a crowd that is not sampled
    rows[::3] = {
        "unlike the others": -rows[::3],
        "cancel out": np.repeat(rows[:300:3], 2, axis=0) * np.tile([[1], [-1]], (100, 1)),
        "huge": 1e4 * rows[::3],
    }[sampled]
    assert max(worst(rows.astype(np.float32))) < BOUND


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("slab", [10, 64, 4096])
def test_each_element_is_read_once_a_pass(monkeypatch, slab):
    monkeypatch.setattr(geometry, "SLAB", slab)
    rows = Counted(random(25, 200))
    geometry.rdms(rows)
    assert (rows.reads == 1).all()
    assert rows.calls == -(-200 // slab)


@pytest.mark.parametrize(
    ("edit", "passes"),
    [(1e-3, 2), (1e-6, 3)],  # float32, float64; and the differences that float64 cannot do either
)
def test_crowds_are_read_two_or_three_times(monkeypatch, edit, passes):
    monkeypatch.setattr(geometry, "SLAB", 64)
    rows = Counted(two_crowds(100, edit))
    geometry.rdms(rows)
    assert (rows.reads == passes).all()
    assert rows.calls == passes * 5


def test_a_few_near_pairs_cost_one_more_pass(monkeypatch):
    monkeypatch.setattr(geometry, "SLAB", 64)
    values = random(25, 200)
    values[1] = values[0] * 1.0001
    rows = Counted(values)
    geometry.rdms(rows)
    assert (rows.reads == 2).all()
    assert rows.calls == 2 * 4


def test_one_metric_reads_no_more_than_both(monkeypatch):
    monkeypatch.setattr(geometry, "SLAB", 64)
    for metric in geometry.METRICS:
        rows = Counted(random(25, 200))
        geometry.rdm(rows, metric)
        assert (rows.reads == 1).all()


def test_products_are_one_symmetric_product_a_slab(monkeypatch):
    """Guard against work outside BLAS: n * n * D happens in `syrk` only, once a slab."""
    calls = []
    for name in ("ssyrk", "dsyrk"):
        function = getattr(geometry, name)
        monkeypatch.setattr(
            geometry,
            name,
            lambda alpha, a, _f=function, _n=name, **kw: calls.append((_n, a.shape)) or _f(alpha, a, **kw),
        )
    monkeypatch.setattr(geometry, "SLAB", 64)
    geometry.rdms(random(25, 150))
    assert calls == [("ssyrk", (64, 25)), ("ssyrk", (64, 25)), ("ssyrk", (22, 25))]


# ---------------------------------------------------------------- condensed and square


@pytest.mark.parametrize("n", [2, 3, 4, 17, 60])
def test_pairs_of_every_condensed_index(n):
    pairs = np.array(list(itertools.combinations(range(n), 2)))
    i, j = geometry.pairs_of(np.arange(geometry.condensed_length(n)), n)
    np.testing.assert_array_equal(np.stack([i, j], 1), pairs)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(2, 20_000), share=st.floats(0, 1))
def test_pairs_of_large_sets(n, share):
    index = int(share * (geometry.condensed_length(n) - 1))
    i, j = (int(x[0]) for x in geometry.pairs_of(np.array([index]), n))
    assert 0 <= i < j < n
    assert n * i - i * (i + 1) // 2 + (j - i - 1) == index


@pytest.mark.parametrize("n", [1, 2, 3, 30, 101])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_square_is_scipys(n, dtype):
    condensed = np.random.default_rng(n).random(n * (n - 1) // 2).astype(dtype)
    full = geometry.square(condensed)
    assert full.dtype == dtype
    assert full.shape == (n, n)
    if n > 1:
        np.testing.assert_array_equal(full, squareform(condensed))


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 3, 9])
def test_row_that_is_not_finite_is_named(value, row):
    rows = random(10, 50)
    rows[row, 20] = value
    with pytest.raises(InputError, match=f"row {row}: .*not finite") as error:
        geometry.rdms(rows)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("row", [0, 4, 9])
def test_row_of_zeros_has_no_angle_but_a_distance(row):
    rows = random(10, 50)
    rows[row] = 0
    for call in (geometry.rdms, lambda rows: geometry.rdm(rows, "cosine")):
        with pytest.raises(InputError, match=f"row {row}: .*all zeros") as error:
            call(rows)
        assert "\n" not in str(error.value)
    np.testing.assert_allclose(geometry.rdm(rows), pdist(rows.astype(float)), rtol=1e-4)


# ---------------------------------------------------------------- Ward trees


def crowds(n, seed, d=6):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, d)) * 3
    return (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_labels_are_scikit_learns(seed):
    rows = crowds(80, seed)
    tree = geometry.ward_tree(geometry.rdm(rows))
    for k in (1, 2, 3, 5, 20, 47, 79, 80):
        expected = AgglomerativeClustering(n_clusters=k, linkage="ward").fit(rows).labels_
        assert adjusted_rand_score(expected, geometry.cut(tree, k)) == 1


def test_tree_merges_by_wards_criterion():
    """Each merge is the one that adds least to the sum of squares within the clusters."""
    rows = random(12, 3, dtype=float)
    tree = geometry.ward_tree(pdist(rows))
    clusters = {i: [i] for i in range(12)}

    def within(members):
        return ((rows[members] - rows[members].mean(axis=0)) ** 2).sum()

    def cost(a, b):
        return within(clusters[a] + clusters[b]) - within(clusters[a]) - within(clusters[b])

    for step, (a, b, height, size) in enumerate(tree):
        best = min(itertools.combinations(clusters, 2), key=lambda pair: cost(*pair))
        assert set(best) == {a, b}
        assert height == pytest.approx(np.sqrt(2 * cost(*best)))
        clusters[12 + step] = clusters.pop(int(a)) + clusters.pop(int(b))
        assert size == len(clusters[12 + step])


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=25),
    data=st.data(),
)
def test_exactly_k_clusters_where_heights_tie(points, data):
    """Points on a small grid: many duplicates, many equal heights."""
    tree = geometry.ward_tree(pdist(np.array(points, float)))
    n = len(points)
    k = data.draw(st.integers(1, n))
    labels = geometry.cut(tree, k)
    assert labels.dtype == np.int32
    assert labels.shape == (n,)
    assert list(dict.fromkeys(labels.tolist())) == list(range(k))  # numbered by their first texture
    if k < n:  # the clusterings are nested: one of k is two of k + 1
        finer = geometry.cut(tree, k + 1)
        assert len(set(zip(labels.tolist(), finer.tolist(), strict=True))) == k + 1
    # Duplicates are together as long as there are enough clusters without parting them.
    if k <= len(set(points)):
        assert len(set(zip(points, labels.tolist(), strict=True))) == len(set(points))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 20))
def test_partition_does_not_depend_on_the_order_of_the_textures(seed, k):
    rows = crowds(20, seed)
    order = np.random.default_rng(seed).permutation(20)
    labels = geometry.cut(geometry.ward_tree(pdist(rows.astype(float))), k)
    shuffled = geometry.cut(geometry.ward_tree(pdist(rows[order].astype(float))), k)
    assert adjusted_rand_score(labels[order], shuffled) == 1


@pytest.mark.parametrize("k", [-1, 0, 11])
def test_impossible_number_of_clusters(k):
    tree = geometry.ward_tree(pdist(random(10, 3)))
    with pytest.raises(InputError, match=rf"k: {k} clusters of 10 textures .* 1 \.\.\. 10"):
        geometry.cut(tree, k)


def test_two_textures():
    tree = geometry.ward_tree(np.array([1.0], np.float32))
    assert geometry.cut(tree, 1).tolist() == [0, 0]
    assert geometry.cut(tree, 2).tolist() == [0, 1]


# ---------------------------------------------------------------- what Ward is run on


def assert_same_tree(distances, rows):
    ours, theirs = geometry.ward_tree(distances), scipy.cluster.hierarchy.ward(pdist(rows))
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-3)
    for k in (2, 5, 20):
        assert adjusted_rand_score(geometry.cut(ours, k), geometry.cut(theirs, k)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_variants_are_ward_on_the_vectors_they_name(seed):
    rows = np.abs(crowds(60, seed))
    euclidean, cosine, _ = geometry.rdms(rows)
    vectors = {
        "gram": rows.astype(float),
        "rdm_rows": squareform(pdist(rows.astype(float))),
        "cosine": rows / np.linalg.norm(rows.astype(float), axis=1, keepdims=True),
    }
    assert set(vectors) == set(geometry.CLUSTERINGS)
    for on, expected in vectors.items():
        given_ = euclidean.copy(), cosine.copy()
        assert_same_tree(geometry.clustering_distances(on, *given_), expected)
        np.testing.assert_array_equal(given_[0], euclidean)
        np.testing.assert_array_equal(given_[1], cosine)
    with pytest.raises(InputError, match=r"'rows'.*gram, rdm_rows, cosine"):
        geometry.clustering_distances("rows", euclidean, cosine)


@pytest.mark.parametrize("on", geometry.CLUSTERINGS)
def test_variants_take_duplicates(on):
    rows = np.abs(crowds(30, 0))
    rows[20:] = rows[:10]
    euclidean, cosine, _ = geometry.rdms(rows)
    labels = geometry.cut(geometry.ward_tree(geometry.clustering_distances(on, euclidean, cosine)), 20)
    np.testing.assert_array_equal(labels[20:], labels[:10])
    same = np.zeros(3, np.float32)  # every texture the same
    assert geometry.clustering_distances(on, same, same).tolist() == [0, 0, 0]


# ---------------------------------------------------------------- second order


def ranked(m, length, seed=0):
    """RDMs with ties, correlated with each other."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 9, length)
    return [(base + rng.integers(0, 2 + 3 * i, length)).astype(np.float32) for i in range(m)]


@pytest.mark.parametrize("block", [1, 100, 2**25])
@pytest.mark.parametrize("correlation", geometry.CORRELATIONS)
def test_second_order_equals_scipy(monkeypatch, tmp_path, correlation, block):
    monkeypatch.setattr(geometry, "PRODUCT_BLOCK", block)
    rdms = ranked(4, 190)
    result = geometry.second_order(iter(rdms), 4, 190, correlation, tmp_path)
    function = stats.spearmanr if correlation == "spearman" else stats.pearsonr
    for i, j in itertools.product(range(4), repeat=2):
        assert result[i, j] == pytest.approx(function(rdms[i], rdms[j]).statistic, abs=1e-6)
    assert not list(tmp_path.iterdir())
    assert np.abs(result).max() <= 1


def test_second_order_of_large_rdms():
    rdms = ranked(3, 300_000)
    result = geometry.second_order(rdms, 3, 300_000)
    assert result[0, 2] == pytest.approx(stats.spearmanr(rdms[0], rdms[2]).statistic, abs=1e-5)
    np.testing.assert_allclose(result.diagonal(), 1, atol=1e-5)
    np.testing.assert_array_equal(result, geometry.second_order(rdms, 3, 300_000, threads=2))


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_side_by_side_keeps_order_and_takes_no_more_than_it_needs(threads):
    waiting, most = set(), []

    def items():
        for item in range(10):
            waiting.add(item)
            most.append(len(waiting))
            yield item

    for item in geometry._side_by_side(lambda item: item, items(), threads):
        waiting.remove(item)
    assert not waiting
    assert max(most) == min(threads, 10)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_ranks_are_scipys(values):
    expected = stats.rankdata(values) - 1
    np.testing.assert_array_equal(geometry._ranks(np.array(values, np.float32)), expected)


@pytest.mark.parametrize("correlation", geometry.CORRELATIONS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-3, 1e6 / 3])
def test_constant_rdm_is_like_none(correlation, value):
    # The mean of 0.1, 0.1, ... is not 0.1 to the last digit.
    rdms = [*ranked(2, 1000), np.full(1000, value, np.float32)]
    result = geometry.second_order(rdms, 3, 1000, correlation)
    assert np.isnan(result[2]).all()
    assert np.isnan(result[:, 2]).all()
    assert np.isfinite(result[:2, :2]).all()


def test_second_order_on_a_full_disk(small_disk):
    def filling():
        yield from ranked(2, 10_000)
        (small_disk / "by another").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        yield from ranked(2, 10_000)

    for rdms, length, needed in ((ranked(4, 20_000), 20_000, "0.00032"), (filling(), 10_000, "0.00016")):
        with pytest.raises(InputError) as told:
            geometry.second_order(rdms, 4, length, scratch=small_disk)
        assert str(told.value) == (
            f"{small_disk}: no space left on the disk, {needed} GB are needed; "
            "free some, or name another folder by TMPDIR, and run again"
        )


def test_unknown_correlation():
    with pytest.raises(InputError, match=r"'kendall'.*spearman, pearson"):
        geometry.second_order([], 0, 0, "kendall")


@settings(max_examples=30, deadline=None)
@given(classes=st.lists(st.sampled_from(["dotted", "veined", "woven"]), min_size=2, max_size=20))
def test_class_identity(classes):
    rdm = geometry.class_identity_rdm(classes)
    assert rdm.dtype == np.float32
    assert rdm.tolist() == [float(a != b) for a, b in itertools.combinations(classes, 2)]


@pytest.mark.parametrize("scale", [2.0**-70, 2.0**62])
def test_rdms_of_very_small_and_very_large_gram_matrices(scale):
    """An untrained ResNet-152 has Gram matrices of 3e19, whose squares are beyond float32."""
    rows = np.random.default_rng(0).standard_normal((12, 60)).astype(np.float32)
    euclidean, cosine, norms2 = geometry.rdms(rows)
    scaled = geometry.rdms((rows * scale).astype(np.float32))
    np.testing.assert_array_equal(scaled[0], (euclidean.astype(float) * scale).astype(np.float32))
    np.testing.assert_array_equal(scaled[1], cosine)
    np.testing.assert_array_equal(scaled[2], norms2 * scale**2)
