"""RDMs: against SciPy, to the accuracy that is promised, read as seldom as can be."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from small import random_rows

from texalign import InputError, gram, store
from texalign.geometry import condensed, distances

#: What `distances.rdms` promises, for cosine distances from the second on.
BOUND, SMALLEST_COSINE = 1e-3, 1e-9


def exact(rows):
    """Euclidean and cosine distances from float64 differences: of the rows, of the rows' directions."""
    rows = np.asarray(rows, np.float64)
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return pdist(rows), pdist(directions) ** 2 / 2


def worst(rows):
    """Largest relative errors of `rdms`; an exact zero must be exact."""
    euclidean, cosine, _ = distances.rdms(rows)
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


@pytest.fixture(params=["at once", "by rows"])
def way(request, monkeypatch):
    """All pairs at once, or those of some rows at a time, as of very many textures."""
    if request.param == "by rows":
        monkeypatch.setattr(distances, "AT_ONCE", 0)
        monkeypatch.setattr(distances, "BLOCK_BYTES", 20 * 7 * 30)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("slab", [1, 7, 64, 4096])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (13, 64), (40, 65), (30, 300)])
def test_rdms_equal_scipy(monkeypatch, n, d, slab):
    monkeypatch.setattr(distances, "SLAB", slab)
    rows = np.abs(random_rows(n, d, seed=n))
    euclidean, cosine, norms2 = distances.rdms(rows)
    assert euclidean.shape == cosine.shape == (condensed.condensed_length(n),)
    assert euclidean.dtype == cosine.dtype == np.float32
    assert norms2.dtype == np.float64
    np.testing.assert_allclose(euclidean, pdist(rows.astype(float)), rtol=1e-4)
    np.testing.assert_allclose(cosine, pdist(rows.astype(float), "cosine"), rtol=BOUND, atol=1e-9)
    np.testing.assert_allclose(norms2, (rows.astype(float) ** 2).sum(axis=1), rtol=1e-12)


def test_distances_by_hand():
    rows = np.array([[3.0, 0], [0, 4], [-3, 0]], np.float32)
    np.testing.assert_allclose(distances.rdm(rows), [5, 6, 5], rtol=1e-6)
    np.testing.assert_allclose(distances.rdm(rows, "cosine"), [1, 2, 1], rtol=1e-6)
    with pytest.raises(InputError, match=r"metric: 'manhattan'.*euclidean, cosine"):
        distances.rdm(rows, "manhattan")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_left_alone(dtype, order):
    rows = random_rows(9, 30).astype(dtype, order=order)
    rows[1] = rows[0] * (1 + 1e-4)  # a near pair: the rows are read a second time
    before = rows.copy()
    distances.rdms(rows)
    np.testing.assert_array_equal(rows, before)


def test_rows_of_an_hdf5_dataset(tmp_path):
    rows = random_rows(70, 5000)
    with store.create_h5(tmp_path / "rows.h5") as file:
        writer = store.RowWriter(file, "gram", *rows.shape)
        writer.append(rows)
        writer.flush()
    with store.open_h5(tmp_path / "rows.h5") as file:
        from_file = distances.rdms(file["gram"])
    for ours, theirs in zip(from_file, distances.rdms(rows), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), power=st.integers(-6, 6))
def test_scale_and_order_of_the_rows(seed, power):
    rng = np.random.default_rng(seed)
    rows = np.abs(random_rows(12, 40, seed))
    euclidean, cosine, _ = distances.rdms(rows)
    scaled, same, _ = distances.rdms(rows * np.float32(10.0**power))
    np.testing.assert_allclose(scaled, euclidean * 10.0**power, rtol=1e-4)
    np.testing.assert_allclose(same, cosine, rtol=BOUND)
    order = rng.permutation(12)
    shuffled = condensed.square(distances.rdm(rows[order]))
    np.testing.assert_allclose(shuffled, condensed.square(euclidean)[np.ix_(order, order)], rtol=1e-4)


def test_packed_gram_matrices_have_frobenius_distances():

    squares = random_rows(10, 20).reshape(10, 4, 5)
    squares = squares @ squares.transpose(0, 2, 1)
    expected = [np.linalg.norm(a - b) for a, b in itertools.combinations(squares, 2)]
    np.testing.assert_allclose(distances.rdm(gram.pack(squares)), expected, rtol=1e-4)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("edit", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
@pytest.mark.parametrize("d", [500, 9000])
def test_near_duplicates(edit, d):
    rows = np.abs(random_rows(30, d))
    rows[10:20] = rows[:10] * (1 + edit * random_rows(10, d, 1))
    euclidean, cosine = worst(rows)
    assert euclidean < BOUND
    assert cosine < BOUND


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("factor", [1 + 1e-6, 1.001, 1.5, 100, 1e4])
def test_scaled_copies_have_no_angle_and_their_distance(factor):
    rows = np.abs(random_rows(20, 600))
    rows[10:] = rows[:10] * np.float32(factor)
    euclidean, _ = worst(rows)
    assert euclidean < BOUND
    pairs = np.ravel_multi_index((np.arange(10), np.arange(10, 20)), (20, 20))
    assert condensed.square(distances.rdm(rows, "cosine")).ravel()[pairs].max() < 1e-12


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("ratio", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_low_norms_beside_high_ones(ratio):
    rows = np.abs(random_rows(30, 700))
    rows[::2] *= np.float32(ratio)
    assert max(worst(rows)) < BOUND


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("common", [1e1, 1e2, 1e3, 1e4, 1e5])
@pytest.mark.parametrize("kind", ["constant", "random"])
def test_huge_common_component(common, kind):
    shared = np.ones(9000) if kind == "constant" else random_rows(1, 9000, 5)[0]
    rows = (common * shared + random_rows(25, 9000, dtype=float)).astype(np.float32)
    assert max(worst(rows)) < BOUND


@pytest.mark.usefixtures("way")
def test_rows_along_one_line_differ_in_length_alone():
    # Products of float32 with equal digits round all the same way, and the angles are roundings only.
    lengths = np.random.default_rng(0).uniform(0.1, 3, 20)[:, None]
    for line in (np.ones(9000), np.full(9000, np.pi), np.random.default_rng(1).random(9000)):
        assert max(worst((lengths * line).astype(np.float32))) < BOUND


def test_exact_duplicates_are_at_distance_zero():
    rows = np.abs(random_rows(12, 5000))
    rows[3] = rows[7] = rows[0]
    rows[11] = rows[5]
    euclidean, cosine, _ = distances.rdms(rows)
    zero = condensed.square(euclidean) == 0
    np.fill_diagonal(zero, False)
    assert {tuple(map(int, pair)) for pair in np.argwhere(zero) if pair[0] < pair[1]} == {
        *[(0, 3), (0, 7), (3, 7), (5, 11)]
    }
    assert (condensed.square(cosine)[zero] == 0).all()


@pytest.mark.parametrize("n", [2, 5, 100])
def test_all_rows_the_same(n):
    euclidean, cosine, _ = distances.rdms(np.tile(np.abs(random_rows(1, 4500)), (n, 1)))
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


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("share", [0.7, 0.99, 1.01, 1.3])
def test_pairs_at_the_bound_of_being_near(share):
    rows = random_rows(40, 8192, dtype=float)
    norms2 = (rows[:20] ** 2).sum(axis=1, keepdims=True)
    step = random_rows(20, 8192, 1, float)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    rows[20:] = rows[:20] + np.sqrt(share * distances.NEAR * 2 * norms2) * step
    assert max(worst(rows.astype(np.float32))) < BOUND / 2


def two_crowds(n, edit, d=300):
    """Two crowds of near-duplicates, far apart: half of all pairs are near."""
    rows = np.repeat(np.abs(random_rows(2, d, dtype=float)), n // 2, axis=0)
    return (rows * (1 + edit * random_rows(n, d, 1, float))).astype(np.float32)


@pytest.mark.parametrize("edit", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_crowds_of_near_duplicates_go_through_float64(monkeypatch, edit):
    dtypes, products = [], distances._products
    monkeypatch.setattr(
        distances,
        "_products",
        lambda rows, dtype, *names: dtypes.append(dtype) or products(rows, dtype, *names),
    )
    rows = two_crowds(100, edit)
    assert max(worst(rows)) < BOUND
    assert dtypes == [np.float32, np.float64]


@pytest.mark.parametrize("edit", [1e-1, 1e-2, 1e-3, 1e-4])
def test_multiples_of_one_matrix_and_a_little_more_stay_in_float32(edit):
    """Untrained networks give such Gram matrices: the mean goes apart, what is left has all its digits."""
    rng = np.random.default_rng(0)
    common = np.abs(random_rows(1, 9000, dtype=float))
    rows = rng.uniform(0.5, 2, (60, 1)) * (common + edit * random_rows(60, 9000, 1, float))
    rows = Counted(rows.astype(np.float32))
    distances.rdms(rows)
    assert (rows.reads == 1).all()
    assert max(worst(rows.rows)) < BOUND / 10


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("sampled", ["unlike the others", "cancel out", "huge"])
def test_rows_that_the_mean_is_taken_of_may_be_unlike_the_others(sampled):
    """The mean of 600 rows is that of every third: whatever it is, the distances are the same."""
    rows = np.abs(random_rows(600, 300, dtype=float))
    rows[1::3] = rows[1] * (1 + 1e-3 * random_rows(200, 300, 1, float))  # a crowd that is not sampled
    rows[::3] = {
        "unlike the others": -rows[::3],
        "cancel out": np.repeat(rows[:300:3], 2, axis=0) * np.tile([[1], [-1]], (100, 1)),
        "huge": 1e4 * rows[::3],
    }[sampled]
    assert max(worst(rows.astype(np.float32))) < BOUND


@pytest.mark.parametrize("slab", [10, 64, 4096])
def test_each_element_is_read_once_a_pass(monkeypatch, slab):
    monkeypatch.setattr(distances, "SLAB", slab)
    rows = Counted(random_rows(25, 200))
    distances.rdms(rows)
    assert (rows.reads == 1).all()
    assert rows.calls == -(-200 // slab)


@pytest.mark.parametrize(
    ("edit", "passes"),
    [(1e-3, 2), (1e-6, 3)],  # float32, float64; and the differences that float64 cannot do either
)
def test_crowds_are_read_two_or_three_times(monkeypatch, edit, passes):
    monkeypatch.setattr(distances, "SLAB", 64)
    rows = Counted(two_crowds(100, edit))
    distances.rdms(rows)
    assert (rows.reads == passes).all()
    assert rows.calls == passes * 5


def test_a_few_near_pairs_cost_one_more_pass(monkeypatch):
    monkeypatch.setattr(distances, "SLAB", 64)
    values = random_rows(25, 200)
    values[1] = values[0] * 1.0001
    rows = Counted(values)
    distances.rdms(rows)
    assert (rows.reads == 2).all()
    assert rows.calls == 2 * 4


def test_one_metric_reads_no_more_than_both(monkeypatch):
    monkeypatch.setattr(distances, "SLAB", 64)
    for metric in distances.METRICS:
        rows = Counted(random_rows(25, 200))
        distances.rdm(rows, metric)
        assert (rows.reads == 1).all()


def test_products_are_one_symmetric_product_a_slab(monkeypatch):
    """What grows with n * n * D is BLAS's syrk alone, which NumPy takes where both are one memory."""
    calls, matmul = [], np.matmul
    monkeypatch.setattr(np, "matmul", lambda a, b, out: calls.append((a, b)) or matmul(a, b, out=out))
    monkeypatch.setattr(distances, "SLAB", 64)
    distances.rdms(random_rows(25, 150))
    assert [a.shape for a, _ in calls] == [(25, 64), (25, 64), (25, 22)]
    for a, b in calls:
        assert a.ctypes.data == b.ctypes.data
        assert a.T.strides == b.strides


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_have_the_products_that_few_have(dtype, monkeypatch):
    rows, upper = random_rows(30, 70).astype(dtype), np.triu_indices(30)
    few = distances._inner_products(rows, np.zeros((30, 30), dtype))
    monkeypatch.setattr(distances, "FEW", 10)
    given = np.zeros((30, 30), dtype)
    many = distances._inner_products(rows, given)
    np.testing.assert_allclose(many[upper], few[upper], rtol=1e-5, atol=1e-4)
    assert np.shares_memory(many, given)
    np.testing.assert_allclose(few, rows.astype(float) @ rows.T.astype(float), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 3, 9])
def test_row_that_is_not_finite_is_named(value, row):
    rows = random_rows(10, 50)
    rows[row, 20] = value
    with pytest.raises(InputError, match=f"row {row}: .*not finite") as error:
        distances.rdms(rows)
    assert "\n" not in str(error.value)


FILES = [f"class/{i}.png: layer L2 (bn1)" for i in range(10)]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_named_row_that_is_not_finite_is_called_by_its_name(value):
    rows = random_rows(10, 50)
    rows[4, 20] = value
    with pytest.raises(InputError, match=r"^class/4.png: layer L2 \(bn1\): the Gram matrix is not finite"):
        distances.rdms(rows, FILES)
    with pytest.raises(InputError, match=r"^class/4.png"):
        distances.rdm(rows, "euclidean", FILES)


@pytest.mark.parametrize("zeros", [[0], [4], [9], [2, 3], [0, 9]])
def test_rows_of_zeros_have_no_angle_but_a_distance(zeros, caplog):
    rows = random_rows(10, 50)
    rows[zeros] = 0
    euclidean, cosine, norms2 = distances.rdms(rows, FILES)
    assert f"class/{zeros[0]}.png: layer L2 (bn1): the Gram matrix is all zeros" in caplog.text
    np.testing.assert_allclose(euclidean, pdist(rows.astype(float)), rtol=1e-4)
    assert list(np.flatnonzero(norms2 == 0)) == zeros
    without = [any(i in zeros for i in pair) for pair in itertools.combinations(range(10), 2)]
    np.testing.assert_array_equal(np.isnan(cosine), without)
    kept = np.delete(rows, zeros, axis=0).astype(float)
    np.testing.assert_allclose(cosine[~np.isnan(cosine)], pdist(kept, "cosine"), rtol=1e-3)
    # Where an angle is what is asked for, there is none.
    with pytest.raises(InputError, match=f"^class/{zeros[0]}.png: .*all zeros.*no angle") as error:
        distances.rdm(rows, "cosine", FILES)
    assert "\n" not in str(error.value)
    assert ("and 1 more" in str(error.value)) == (len(zeros) > 1)
    with pytest.raises(InputError, match=f"^row {zeros[0]}: "):
        distances.rdm(rows, "cosine")
    np.testing.assert_allclose(distances.rdm(rows), pdist(rows.astype(float)), rtol=1e-4)


@pytest.mark.parametrize("scale", [2.0**-70, 2.0**62])
def test_rdms_of_very_small_and_very_large_gram_matrices(scale):
    """An untrained ResNet-152 has Gram matrices of 3e19, whose squares are beyond float32."""
    rows = np.random.default_rng(0).standard_normal((12, 60)).astype(np.float32)
    euclidean, cosine, norms2 = distances.rdms(rows)
    scaled = distances.rdms((rows * scale).astype(np.float32))
    np.testing.assert_array_equal(scaled[0], (euclidean.astype(float) * scale).astype(np.float32))
    np.testing.assert_array_equal(scaled[1], cosine)
    np.testing.assert_array_equal(scaled[2], norms2 * scale**2)
