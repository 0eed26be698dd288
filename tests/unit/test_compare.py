"""How alike RDMs are: against SciPy, with ties, and in bounded memory."""

import itertools
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from texalign import InputError
from texalign.geometry import compare


def ranked(m, length, seed=0):
    """RDMs with ties, correlated with each other."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 9, length)
    return [(base + rng.integers(0, 2 + 3 * i, length)).astype(np.float32) for i in range(m)]


@pytest.mark.parametrize("block", [1, 100, 2**25])
@pytest.mark.parametrize("correlation", compare.CORRELATIONS)
def test_second_order_equals_scipy(monkeypatch, tmp_path, correlation, block):
    monkeypatch.setattr(compare, "PRODUCT_BLOCK", block)
    rdms = ranked(4, 190)
    result = compare.second_order(iter(rdms), 4, 190, correlation, tmp_path)
    function = stats.spearmanr if correlation == "spearman" else stats.pearsonr
    for i, j in itertools.product(range(4), repeat=2):
        assert result[i, j] == pytest.approx(function(rdms[i], rdms[j]).statistic, abs=1e-6)
    assert not list(tmp_path.iterdir())
    assert np.abs(result).max() <= 1


def test_second_order_of_large_rdms():
    rdms = ranked(3, 300_000)
    result = compare.second_order(rdms, 3, 300_000)
    assert result[0, 2] == pytest.approx(stats.spearmanr(rdms[0], rdms[2]).statistic, abs=1e-5)
    np.testing.assert_allclose(result.diagonal(), 1, atol=1e-5)
    np.testing.assert_array_equal(result, compare.second_order(rdms, 3, 300_000, threads=2))


def test_chosen_pairs_correlate_as_all_do():
    """The error is what it is said to be, over many draws; and no draw is like another."""
    length, most = 200_000, 2_000
    a, b = ranked(2, length)
    exact = stats.spearmanr(a, b).statistic
    found = []
    for seed in range(60):
        pairs = compare.sample_pairs(length, most, seed)
        found.append(compare.second_order([compare.values_at(x, pairs) for x in (a, b)], 2, most)[0, 1])
    error = (1 - exact**2) / np.sqrt(most)
    assert np.mean(found) == pytest.approx(exact, abs=4 * error / np.sqrt(60))
    assert 0.6 * error < np.std(found) < 1.5 * error
    assert len(set(found)) == 60


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 40), most=st.integers(1, 500), seed=st.integers(0, 9), block=st.integers(1, 300))
def test_chosen_pairs_are_of_the_rdm(n, most, seed, block):
    length = n * (n - 1) // 2
    rdm, classes = np.random.default_rng(seed).random(length), np.arange(n) % 3
    pairs = compare.sample_pairs(length, most, seed)
    assert (pairs is None) == (length <= most)
    if pairs is not None:
        assert len(np.unique(pairs)) == len(pairs) == most
        assert (np.diff(pairs) > 0).all()
        assert pairs[0] >= 0
        assert pairs[-1] < length
    chosen = slice(None) if pairs is None else pairs
    np.testing.assert_array_equal(compare.values_at(rdm, pairs, block), rdm[chosen])
    expected = compare.class_identity_rdm(classes)[chosen]
    np.testing.assert_array_equal(compare.class_identity_rdm(classes, pairs), expected)


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_side_by_side_keeps_order_and_takes_no_more_than_it_needs(threads):
    waiting, most = set(), []

    def items():
        for item in range(10):
            waiting.add(item)
            most.append(len(waiting))
            yield item

    for item in compare._side_by_side(lambda item: item, items(), threads):
        waiting.remove(item)
    assert not waiting
    assert max(most) == min(threads, 10)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_ranks_are_scipys(values):
    expected = stats.rankdata(values) - 1
    np.testing.assert_array_equal(compare._ranks(np.array(values, np.float32)), expected)


@pytest.mark.parametrize("correlation", compare.CORRELATIONS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-3, 1e6 / 3])
def test_constant_rdm_is_like_none(correlation, value):
    # The mean of 0.1, 0.1, ... is not 0.1 to the last digit.
    rdms = [*ranked(2, 1000), np.full(1000, value, np.float32)]
    result = compare.second_order(rdms, 3, 1000, correlation)
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
            compare.second_order(rdms, 4, length, scratch=small_disk)
        assert str(told.value) == (
            f"{small_disk}: no space left on the disk, {needed} GB are needed; "
            "free some, or name another folder by TMPDIR, and run again"
        )


def test_unknown_correlation():
    with pytest.raises(InputError, match=r"'kendall'.*spearman, pearson"):
        compare.second_order([], 0, 0, "kendall")


@settings(max_examples=30, deadline=None)
@given(classes=st.lists(st.sampled_from(["dotted", "veined", "woven"]), min_size=2, max_size=20))
def test_class_identity(classes):
    rdm = compare.class_identity_rdm(classes)
    assert rdm.dtype == np.float32
    assert rdm.tolist() == [float(a != b) for a, b in itertools.combinations(classes, 2)]


def test_controls_change_no_bit_of_the_others(tmp_path):
    rdms = ranked(6, 190)
    alone = compare.second_order(rdms[:4], 4, 190, scratch=tmp_path)
    seen = []
    every = compare.second_order(rdms, 6, 190, scratch=tmp_path, controls=2, watch=seen.append)
    np.testing.assert_array_equal(every[:4, :4], alone)
    np.testing.assert_allclose(every, compare.second_order(rdms, 6, 190), atol=2e-6)  # float32 products
    np.testing.assert_array_equal(seen, [compare.standardized(rdm, "spearman") for rdm in rdms])


@pytest.mark.parametrize("classes", ["aabbcc", "aaabbc", "abcdee"])
def test_chance_spread_is_that_of_all_orders(classes):
    rdm = ranked(1, 15)[0] + np.random.default_rng(1).uniform(0, 0.1, 15).astype(np.float32)
    values = compare.standardized(rdm, "spearman")
    found = []
    for order in itertools.permutations(classes):
        found.append(values @ compare.standardized(compare.class_identity_rdm(list(order)), "spearman"))
    assert np.mean(found) == pytest.approx(0, abs=1e-6)
    both = [compare.standardized(compare.class_identity_rdm(list(classes)), "spearman"), values]
    spread = compare.chance_spread(*(compare.gathered(x, 6) for x in both), 6)
    assert spread == pytest.approx(np.std(found), rel=1e-5)
    assert np.isnan(compare.chance_spread(1, 1, 3))


def test_chance_spread_of_chosen_pairs():
    n, most = 120, 3000
    rdm = ranked(1, compare.condensed_length(n))[0]
    identity = compare.class_identity_rdm(np.repeat(np.arange(6), 20))
    every = [compare.gathered(compare.standardized(x, "spearman"), n) for x in (rdm, identity)]
    expected = compare.chance_spread(*every, n)
    found = []
    for seed in range(20):
        pairs = compare.sample_pairs(len(rdm), most, seed)
        ends = compare.pairs_of(pairs, n)
        chosen = [compare.standardized(x[pairs], "spearman") for x in (rdm, identity)]
        found.append(compare.chance_spread(*(compare.gathered(x, n, ends) for x in chosen), n))
    assert np.mean(found) == pytest.approx(expected, rel=0.1)
