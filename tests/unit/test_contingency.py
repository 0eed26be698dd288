"""How many textures of each class are in each cluster."""

from texalign.information.contingency import contingency


def test_contingency_counts_pairs():
    table = contingency(["b", "a", "b", "b"], [3.5, 1.5, 1.5, 3.5])
    assert table.tolist() == [[1, 0], [1, 2]]
