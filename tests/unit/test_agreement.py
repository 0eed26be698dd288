"""Other measures of two partitions, against scikit-learn's."""

import numpy as np
import pytest
from counts import labels
from sklearn import metrics

from texalign.information import agreement
from texalign.information.contingency import contingency


@pytest.mark.parametrize(("share", "n", "k"), [(0.0, 90, 4), (0.3, 300, 12), (0.9, 47 * 6, 47)])
def test_scores_are_those_of_scikit_learn(share, n, k):
    classes, clusters = labels(share, seed=2, n=n, k=k)
    clusters[: n // 5] = 0
    table = contingency(classes, clusters)
    expected = metrics.adjusted_mutual_info_score(classes, clusters)
    assert agreement.adjusted_mutual_information(table) == pytest.approx(expected, abs=1e-10)
    assert agreement.v_measure(table) == pytest.approx(metrics.v_measure_score(classes, clusters), abs=1e-12)
    commonest = sum(np.bincount(classes[clusters == c]).max() for c in np.unique(clusters))
    assert agreement.purity(table) == commonest / n


def test_same_and_unrelated_partitions():
    same = np.diag([5, 7, 3])
    for measure in (agreement.adjusted_mutual_information, agreement.v_measure, agreement.purity):
        assert measure(same) == pytest.approx(1)
        assert measure(np.array([[9]])) == 1
    assert agreement.v_measure(np.full((3, 3), 10)) == pytest.approx(0, abs=1e-12)
    chance = [
        agreement.adjusted_mutual_information(contingency(*labels(0, seed, n=120, k=6))) for seed in range(40)
    ]
    assert abs(np.mean(chance)) < 3 * np.std(chance) / np.sqrt(40)
