"""Agreement with people: against rsatoolbox and SciPy, and where it is known."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from texalign import InputError
from texalign.geometry.compare import class_identity_rdm, standardized
from texalign.human import agreement

CLASSES = np.repeat(list("abc"), [3, 4, 5])


@pytest.fixture
def rdms(rng):
    """People's RDM, two observers' around it, and three that resemble it less and less."""
    people = pdist(rng.normal(size=(12, 3)))
    observers = np.stack([people + rng.normal(size=66) * 0.3 for _ in range(2)])
    ours = np.stack([people + rng.normal(size=66) * noise for noise in (0.1, 1, 100)])
    return people, observers, ours


@pytest.fixture
def rsatoolbox():
    return pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")


def test_rank_correlation_is_rsatoolboxs_and_scipys(rdms, rsatoolbox):
    people, _, ours = rdms
    people = people.round(1)  # with ties
    theirs = rsatoolbox.rdm.compare(rsatoolbox.rdm.RDMs(ours), rsatoolbox.rdm.RDMs(people), "spearman")
    for own, expected in zip(ours, theirs[:, 0], strict=True):
        found = agreement.rank_correlation(own, people)
        assert found == pytest.approx(expected, abs=1e-6)
        assert found == pytest.approx(stats.spearmanr(own, people).statistic, abs=1e-6)
    assert np.isnan(agreement.rank_correlation(np.ones(66), people))


def test_class_means_are_means_over_pairs_of_textures(rdms):
    people, *_ = rdms
    full = squareform(people)
    expected = [
        full[np.ix_(one == CLASSES, other == CLASSES)].mean()
        for one, other in itertools.combinations("abc", 2)
    ]
    np.testing.assert_allclose(agreement.class_means(people, CLASSES), expected)
    order = np.random.default_rng(3).permutation(12)
    shuffled = squareform(full[np.ix_(order, order)])
    np.testing.assert_allclose(agreement.class_means(shuffled, CLASSES[order]), expected)
    np.testing.assert_array_equal(agreement.class_means(class_identity_rdm(CLASSES), CLASSES), 1)


@pytest.mark.parametrize("few", [500, 2])
def test_p_is_the_share_of_all_orders(rdms, monkeypatch, few):
    """Counted for five textures: 120 orders."""
    monkeypatch.setattr(agreement, "FEW", few)
    people, _, ours = rdms
    part = np.array([0, 3, 5, 8, 11])
    small = [squareform(squareform(rdm)[np.ix_(part, part)]) for rdm in (people, ours[1])]
    ranks = [standardized(rdm, "spearman").astype(float) for rdm in small]
    full = squareform(ranks[0])
    every = [squareform(full[np.ix_(order, order)]) @ ranks[1] for order in itertools.permutations(range(5))]
    exact = np.mean(np.array(every) >= ranks[0] @ ranks[1] - 1e-6)
    found = agreement.permutation_p(
        standardized(small[1], "spearman")[None], standardized(small[0], "spearman"), 3000, 0
    )
    assert found.item() == pytest.approx(exact, abs=0.03)


def test_p_is_small_for_what_agrees_and_uniform_for_what_does_not(rdms):
    people, _, ours = rdms
    ranks = np.stack([standardized(rdm, "spearman") for rdm in ours])
    of_people = standardized(people, "spearman")
    p = agreement.permutation_p(ranks, of_people, 199)
    assert p[0] == 1 / 200
    rng = np.random.default_rng(7)
    none = np.stack([standardized(pdist(rng.normal(size=(12, 3))), "spearman") for _ in range(200)])
    p = agreement.permutation_p(none, of_people, 199)
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert np.isnan(agreement.permutation_p(np.full((1, 66), np.nan), of_people, 20)).all()


def test_noise_ceiling_is_rsatoolboxs(rdms, rsatoolbox):
    _, observers, _ = rdms
    low, high = agreement.noise_ceiling(observers)
    # By hand: of two observers, the mean of the others is the other one.
    assert low == pytest.approx(stats.spearmanr(*observers).statistic)
    pooled = np.mean([stats.rankdata(rdm) for rdm in observers], axis=0)
    assert high == pytest.approx(np.mean([stats.spearmanr(rdm, pooled).statistic for rdm in observers]))
    assert np.isnan(agreement.noise_ceiling(observers[:1])).all()


def test_without_rsatoolbox_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(agreement.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"rsatoolbox is not installed; run: pip install -r envs/human.txt"):
        agreement.noise_ceiling(np.ones((2, 3)))


def test_reliability_of_known_noise(rsatoolbox):
    """Halves that are one signal and noise of the same size correlate with 1/2: 2/3 for the whole."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(40), 5)
    signal = rng.normal(size=19900)
    halves = [signal + rng.normal(size=(2, 19900)) for _ in range(3)]
    found = agreement.reliability(halves, halves[0], classes)
    image = found["image"]
    assert image["split_half"] == pytest.approx(0.483, abs=0.02)  # Spearman's, of Pearson's 1/2
    assert image["reliability"] == pytest.approx(2 * 0.483 / 1.483, abs=0.02)
    assert image["ceiling"] == pytest.approx(np.sqrt(image["reliability"]))
    assert image["split_half_std"] < 0.02
    assert image["ceiling_low"] == pytest.approx(0.483, abs=0.02)
    # Means over 25 pairs of textures: signal and noise fall alike.
    assert found["class"]["split_half"] == pytest.approx(0.483, abs=0.1)


def test_halves_of_observers_are_means_of_different_ones():
    observers = np.eye(5)
    halves = list(agreement.observer_halves(observers, 4, 0))
    assert len(halves) == 4
    for first, second in halves:
        assert sorted(first[first > 0]) == [0.5, 0.5]
        assert second[second > 0] == pytest.approx([1 / 3] * 3)
        assert not (first * second).any()
    assert list(agreement.observer_halves(observers[:1], 4)) == []


def test_rows_of_a_comparison(rdms):
    people, observers, ours = rdms
    rows = agreement.compare(ours, people, observers, CLASSES, 50)
    assert [[row["level"] for row in layer] for layer in rows] == [["image", "class"]] * 3
    assert [[row["n"] for row in layer] for layer in rows] == [[12, 3]] * 3
    best = rows[0][0]
    assert best["score"] == pytest.approx(stats.spearmanr(ours[0], people).statistic, abs=1e-6)
    each = [stats.spearmanr(ours[0], observer).statistic for observer in observers]
    assert best["score_observers"] == pytest.approx(np.mean(each), abs=1e-6)
    of_classes = [agreement.class_means(rdm, CLASSES) for rdm in (ours[0], people)]
    assert rows[0][1]["score"] == pytest.approx(stats.spearmanr(*of_classes).statistic, abs=1e-6)
    assert rows[0][0]["score"] > rows[1][0]["score"] > rows[2][0]["score"]
    one = agreement.compare(ours, people, observers[:1], CLASSES, 50, by_class=True)
    assert [[row["level"] for row in layer] for layer in one] == [["class"]] * 3
    assert np.isnan(one[0][0]["score_observers"])
