"""What of the feature maps is compared: against the maps themselves."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import yaml
from studies import REPOSITORY

from texalign import gram, store
from texalign.errors import InputError
from texalign.geometry import distances
from texalign.gram import representations


class Layer(dict):
    """A layer of a Gram file, in memory, and the maps that it comes from."""

    def __init__(self, maps):
        super().__init__(
            gram=gram.pack(maps @ maps.transpose(0, 2, 1)).astype(np.float32),
            mean=maps.mean(2).astype(np.float32),
        )
        self.maps, self.attrs = maps, {"positions": maps.shape[2]}


@pytest.fixture(params=[(6, 40), (130, 20), (130, 200)], ids=str)
def layer(request, rng):
    """One slab of columns, and several; maps of few positions and of many."""
    channels, positions = request.param
    mixed = rng.normal(size=(5, channels, channels)) @ rng.normal(size=(5, channels, positions))
    return Layer(np.abs(mixed) + rng.normal(size=(5, channels, 1)))


def read(layer, name, **options):
    with representations.rows(layer, name, **options) as rows:
        slabs = [rows[:, first : first + distances.SLAB] for first in range(0, rows.shape[1], distances.SLAB)]
        assert all(slab.dtype == np.float32 for slab in slabs)
        return np.concatenate(slabs, axis=1)


def close(found, expected, share=3e-6):
    np.testing.assert_allclose(found, expected, atol=share * np.abs(expected).max(), rtol=0)


def test_gram_and_mean_are_the_stored_rows_unread(layer):
    for name in ("gram", "mean"):
        with representations.rows(layer, name) as rows:
            assert rows is layer[name]


def test_covariance_is_numpys(layer):
    close(read(layer, "covariance"), gram.pack(np.stack([np.cov(m, bias=True) for m in layer.maps])))


def test_correlation_is_numpys(layer):
    close(read(layer, "correlation"), gram.pack(np.stack([np.corrcoef(m) for m in layer.maps])))


def test_mean_and_standard_deviation(layer):
    close(read(layer, "mean_std"), np.concatenate([layer.maps.mean(2), layer.maps.std(2)], axis=1))


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate, approximate err = ....*e-13")
def test_log_gram_is_scipys_logarithm(layer, tmp_path):
    matrices = layer.maps @ layer.maps.transpose(0, 2, 1) / layer.maps.shape[2]
    n = layer.maps.shape[1]
    regularised = [g + representations.REGULARISATION * np.trace(g) / n * np.eye(n) for g in matrices]
    expected = gram.pack(np.stack([scipy.linalg.logm(g) for g in regularised]))
    before = layer["gram"].copy()
    close(read(layer, "log_gram", scratch=tmp_path), expected, 1e-4)
    np.testing.assert_array_equal(layer["gram"], before)
    assert not list(tmp_path.iterdir())


def test_log_euclidean_distance_of_matrices_that_commute_is_that_of_their_logarithms(rng):
    """Analytic: of diagonal matrices, and of a matrix and a multiple of it."""
    first, second = np.exp(rng.normal(size=(2, 9)))
    logs = [np.log(d + 0.01 * d.mean()) for d in (first, second)]
    found = [representations.log_regularised(np.diag(d)) for d in (first, second)]
    assert np.linalg.norm(found[0] - found[1]) == pytest.approx(np.linalg.norm(logs[0] - logs[1]))
    matrix = first[:, None] * np.corrcoef(rng.normal(size=(9, 30))) * first
    tenfold = representations.log_regularised(10 * matrix) - representations.log_regularised(matrix)
    np.testing.assert_allclose(tenfold, np.log(10) * np.eye(9), atol=1e-10)


def test_logarithm_of_a_low_rank_by_its_factor(rng):
    factor = rng.normal(size=(60, 7))
    matrix = factor @ factor.T
    full, cheap = (representations.log_regularised(matrix, rank=rank) for rank in (None, 7))
    close(cheap, full, 1e-6)


def test_a_change_of_gain_changes_covariances_and_no_correlation(rng):
    maps = rng.normal(size=(4, 6, 30)) + 1
    gains, shift = np.exp(rng.normal(size=(6, 1))), rng.normal(size=(6, 1))
    plain, changed = Layer(maps), Layer(gains * maps + shift)
    close(read(changed, "correlation"), read(plain, "correlation"), 1e-4)
    by_gains = gram.unpack(read(plain, "covariance")) * gains * gains.T
    close(gram.unpack(read(changed, "covariance")), by_gains, 1e-4)


def test_a_constant_channel_has_no_deviation_and_no_correlation(rng):
    maps = rng.normal(size=(3, 5, 40))
    maps[1, 2] = 7.3
    maps[2, 0] = 0
    correlations = gram.unpack(read(Layer(maps), "correlation"))
    assert np.isfinite(correlations).all()
    assert (correlations[1, 2] == 0).all()
    assert (correlations[2, 0] == 0).all()
    np.testing.assert_array_equal(correlations.diagonal(axis1=1, axis2=2).sum(1), [5, 4, 4])
    deviations = read(Layer(maps), "mean_std")[:, 5:]
    assert np.argwhere(deviations == 0).tolist() == [[1, 2], [2, 0]]


def test_distances_of_each_are_those_of_its_rows(layer, tmp_path):
    with store.create_h5(tmp_path / "gram.h5") as file:
        writers = store.gram_writers(
            file, {"L1": "bn1"}, {"L1": (layer.maps.shape[1], layer.maps.shape[2], 1)}, 5
        )
        writers["L1"].append(layer["gram"], layer["mean"])
        writers["L1"].flush()
    with store.open_h5(tmp_path / "gram.h5") as file:
        for name in sorted(set(representations.REPRESENTATIONS) - {"sliced_wasserstein"}):
            expected = read(layer, name).astype(float)
            with representations.rows(file["L1"], name, tmp_path) as rows:
                euclidean, _, _ = distances.rdms(rows)
            pairs = itertools.combinations(expected, 2)
            np.testing.assert_allclose(euclidean, [np.linalg.norm(a - b) for a, b in pairs], rtol=1e-3)


def test_an_unknown_one_is_refused_in_one_line():
    with (
        pytest.raises(InputError, match="representation: 'pixels' is not allowed; use one of gram, cov"),
        representations.rows({}, "pixels"),
    ):
        pass


def test_a_gram_matrix_of_zeros_has_no_logarithm_and_is_named(rng, tmp_path):
    maps = rng.normal(size=(3, 5, 40))
    maps[1] = 0
    with (
        pytest.raises(InputError, match="b: the Gram matrix is all zeros, so it has no logarithm"),
        representations.rows(Layer(maps), "log_gram", tmp_path, ["a", "b", "c"]),
    ):
        pass


def test_the_schema_allows_what_there_is():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["representation"]["enum"] == list(representations.REPRESENTATIONS)
