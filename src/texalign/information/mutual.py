"""How much the clusters of a representation say about the classes that people see."""

from typing import NamedTuple

import numpy as np

from texalign.errors import InputError
from texalign.information import ndd
from texalign.information.agreement import adjusted_mutual_information, purity, v_measure
from texalign.information.contingency import adjusted_rand, coded, contingency, table_of
from texalign.information.interval import interval
from texalign.information.nsb import checked_states, nsb_entropy, plugin_entropy

ESTIMATORS = ("nsb", "ndd", "plugin")

#: I = H(class) + H(cluster) - H(class, cluster).
_SIGNS = np.array([1.0, 1.0, -1.0])


class MutualInformation(NamedTuple):
    """Mutual information of classes and clusters, in bits. See `mutual_information`.

    Attributes
    ----------
    bits : float
        The estimate. Unlike the plug-in value it may be slightly negative.
    sd_bits : float
        Its posterior standard deviation (sampling standard deviation for ``plugin``).
    plugin_bits : float
        The uncorrected value, which is too high for small samples.
    h_class_bits : float
        Plug-in entropy of the classes, the bound of the paper's Eq. 3: how many textures of each
        class there are is the design of the image set, nothing to be inferred. log2(47) for DTD.
    h_cluster_bits, h_joint_bits : float
        Entropies of the clusters and of the pairs, by the chosen estimator.
    n : int
        Number of textures.
    n_classes, n_clusters : int
        Alphabet sizes.
    max_bits : float
        min(h_class_bits, h_cluster_bits): no clustering of these sizes can tell more.
    """

    bits: float
    sd_bits: float
    plugin_bits: float
    h_class_bits: float
    h_cluster_bits: float
    h_joint_bits: float
    n: int
    n_classes: int
    n_clusters: int
    max_bits: float


def mutual_information(classes, clusters, estimator="nsb", n_classes=None, n_clusters=None, ndd_python=None):
    """Mutual information of classes and clusters, I = H(class) + H(cluster) - H(class, cluster).

    As in ``ndd.mutual_information``, each entropy is corrected by itself, and the joint alphabet is
    the product of the two. I never exceeds min(H(class), H(cluster)), which is `max_bits`; the
    estimate does so only by its own error.

    `ndd` gives no error bar for mutual information. `sd_bits` adds the three posterior standard
    deviations in quadrature, which is what can be made of what `ndd` does give. The entropies come
    from the same textures, so this is not exact: drawing I from the joint NSB posterior gave standard
    deviations of 0.7 to 1.1 times `sd_bits` (tests/unit/test_mutual.py). Nor can it know where
    the prior is wrong: when class and cluster are equal in 30 % of 5640 textures and unrelated in the
    others, NSB gives 0.82 bits on average, with a standard deviation of 0.025 over repetitions and an
    `sd_bits` of 0.023; the truth is 0.87, and the plug-in value 1.18. For ``plugin``, `sd_bits` is the
    large-sample standard deviation, sqrt(Var(log p(x, y) / p(x) p(y)) / n) at the observed frequencies
    ([5]_).

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture, of any type that sorts.
    estimator : {"nsb", "ndd", "plugin"}
        ``ndd`` runs the real package, in a process of its own because it can abort the interpreter.
        It integrates over a truncated range (docs/ndd.md).
    n_classes, n_clusters : int, optional
        Alphabet sizes; by default, the labels that occur.
    ndd_python : str, optional
        A Python that can import `ndd`; by default ``$TEXALIGN_NDD_PYTHON``, else this one.

    Returns
    -------
    MutualInformation

    Raises
    ------
    InputError
        Unusable labels, an unknown estimator, alphabets smaller than what was seen, or no `ndd`.
    """
    rows, columns = coded(classes, clusters)
    table = table_of(rows, columns)
    n_classes = checked_states(n_classes, table.sum(1), "n_classes")
    n_clusters = checked_states(n_clusters, table.sum(0), "n_clusters")
    parts = [(table.sum(1), n_classes), (table.sum(0), n_clusters), (table, n_classes * n_clusters)]
    bits, sd_bits = _entropies(parts, estimator, ndd_python).T / np.log(2)
    plugin_bits, _ = _entropies(parts, "plugin").T / np.log(2)
    if estimator == "plugin":
        sd_bits = _plugin_sd(table) / np.log(2)
    return MutualInformation(
        bits=float(bits @ _SIGNS),
        sd_bits=float(np.linalg.norm(sd_bits)),
        plugin_bits=float(plugin_bits @ _SIGNS),
        h_class_bits=float(plugin_bits[0]),
        h_cluster_bits=float(bits[1]),
        h_joint_bits=float(bits[2]),
        n=len(rows),
        n_classes=n_classes,
        n_clusters=n_clusters,
        max_bits=float(min(plugin_bits[0], bits[1])),
    )


def null_information(classes, clusters, permutations=100, seed=0, estimator="nsb", ndd_python=None):
    """Mutual information with shuffled labels: what clusters of these sizes score by chance.

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture.
    permutations : int
        Number of shuffles.
    seed : int
        Seed of the shuffles.
    estimator : {"nsb", "ndd", "plugin"}
        As in `mutual_information`.
    ndd_python : str, optional
        As in `mutual_information`.

    Returns
    -------
    array, shape (permutations,)
        Bits, one value per shuffle.

    Raises
    ------
    InputError
        As in `mutual_information`, or `permutations` < 1.
    """
    if permutations < 1:
        raise InputError(f"permutations: {permutations} is not a whole number >= 1")
    rows, columns = coded(classes, clusters)
    table = table_of(rows, columns)
    generator = np.random.default_rng(seed)
    shuffled = [(table_of(rows, generator.permutation(columns)), table.size) for _ in range(permutations)]
    # Shuffling leaves the marginals alone.
    marginals = [(table.sum(1), len(table)), (table.sum(0), len(table.T))]
    h_class, h_cluster, *h_joint = _entropies(marginals + shuffled, estimator, ndd_python)[:, 0] / np.log(2)
    return h_class + h_cluster - np.array(h_joint)


def resampled_information(classes, clusters, repeats=100, seed=0, estimator="nsb", ndd_python=None):
    """Mutual information of textures drawn anew, with replacement, within each class.

    Its spread is how much the estimate depends on which textures there are; its mean is too high, since a
    texture that is drawn twice agrees with itself.

    Parameters
    ----------
    classes, clusters, estimator, ndd_python
        See `mutual_information`.
    repeats, seed : int

    Returns
    -------
    array, shape (repeats,)
        Bits.
    """
    rows, columns = coded(classes, clusters)
    order, generator = np.argsort(rows, kind="stable"), np.random.default_rng(seed)
    sizes = np.bincount(rows)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    parts = []
    for _ in range(repeats):
        drawn = order[starts + (generator.random(len(rows)) * np.repeat(sizes, sizes)).astype(int)]
        table = table_of(rows[drawn], columns[drawn])
        # As in the data themselves, a cluster that none was drawn from is not known to be there.
        n_clusters = np.count_nonzero(table.sum(0))
        parts += [(table.sum(1), len(table)), (table.sum(0), n_clusters), (table, len(table) * n_clusters)]
    bits = _entropies(parts, estimator, ndd_python)[:, 0].reshape(repeats, 3) / np.log(2)
    return bits @ _SIGNS


def against_chance(classes, clusters, estimator="nsb", permutations=100, seed=0, simulations=400):
    """Measure information, null and uncertainty of one clustering: one row of the study's table.

    Parameters
    ----------
    classes, clusters, estimator
        See `mutual_information`.
    permutations, seed
        See `null_information`; as often are textures drawn anew, see `resampled_information`.
    simulations
        See `texalign.information.interval.interval`.

    Returns
    -------
    dict
        Columns of the table, explained in docs/results.md.
    """
    mi = mutual_information(classes, clusters, estimator)
    null = null_information(classes, clusters, permutations, seed, estimator)
    calibrated = interval(classes, clusters, simulations, seed)
    table, spread = contingency(classes, clusters), float(null.std())
    return {
        **columns(mi, estimator),
        "mi_null_bits": float(null.mean()),
        "mi_null_std_bits": spread,
        "adjusted_rand": adjusted_rand(table),
        "mi_corrected_bits": calibrated.bits,
        "mi_low_bits": calibrated.low_bits,
        "mi_high_bits": calibrated.high_bits,
        "mi_null_z": (mi.bits - float(null.mean())) / spread if spread else np.nan,
        "mi_null_p": float((1 + np.count_nonzero(null >= mi.bits)) / (1 + permutations)),
        "mi_bootstrap_std_bits": float(
            resampled_information(classes, clusters, permutations, seed, estimator).std()
        ),
        "adjusted_mutual_information": adjusted_mutual_information(table),
        "v_measure": v_measure(table),
        "purity": purity(table),
    }


def columns(mi, estimator):
    """Name what was measured as the tables' columns do, explained in docs/results.md."""
    return {
        "k": mi.n_clusters,
        "n": mi.n,
        "n_classes": mi.n_classes,
        "estimator": estimator,
        "mi_bits": mi.bits,
        "mi_std_bits": mi.sd_bits,
        "mi_plugin_bits": mi.plugin_bits,
        "h_class_bits": mi.h_class_bits,
        "h_cluster_bits": mi.h_cluster_bits,
        "max_bits": mi.max_bits,
    }


def _entropies(parts, estimator, ndd_python=None):
    """Entropies and their standard deviations in nats, shape (len(parts), 2).

    `parts` are pairs of counts and alphabet size.
    """
    if estimator == "nsb":
        return np.array([nsb_entropy(counts, n_states) for counts, n_states in parts])
    if estimator == "ndd":
        return ndd.entropies(parts, ndd_python)
    if estimator == "plugin":
        return np.array([(plugin_entropy(counts), np.nan) for counts, _ in parts])
    raise InputError(f"estimator: {estimator!r} is not one of {', '.join(ESTIMATORS)}")


def _plugin_sd(table):
    seen = table > 0
    p = table[seen] / table.sum()
    log_ratio = np.log(p * table.sum() ** 2 / np.outer(table.sum(1), table.sum(0))[seen])
    return np.sqrt(p @ (log_ratio - p @ log_ratio) ** 2 / table.sum())
