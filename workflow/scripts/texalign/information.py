"""How much the clusters of a representation say about the classes that people see.

Entropies are corrected for the bias of small samples by the estimator of Nemenman, Shafee and
Bialek (NSB), as an exact integral in logarithms: see `nsb_entropy`.

References
----------
.. [1] I. Nemenman, F. Shafee, W. Bialek, "Entropy and inference, revisited", NIPS 14 (2002).
.. [2] D. H. Wolpert, D. R. Wolf, "Estimating functions of probability distributions from a finite
   set of samples", Phys. Rev. E 52 (1995) 6841.
.. [3] E. Archer, I. M. Park, J. W. Pillow, "Bayesian and quasi-Bayesian estimators for mutual
   information from discrete data", Entropy 15 (2013) 1738.
.. [4] I. Nemenman, "Coincidences and estimation of entropies of random variables with large
   cardinalities", Entropy 13 (2011) 2013, Eqs. 29-30.
.. [5] M. Hutter, "Distribution of mutual information", NIPS 14 (2002).
"""

import json
import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln, xlogy, zeta

from texalign import InputError

ESTIMATORS = ("nsb", "ndd", "plugin")

#: The integrand is followed down to exp(-40), 4e-18 of its peak, on both sides.
_DEPTH = 40.0
_COARSE_NODES, _FINE_NODES = 256, 128
#: From here up Stirling's series is exact in float64, and differences of gamma functions are not.
_LARGE = 16.0

#: I = H(class) + H(cluster) - H(class, cluster).
_SIGNS = np.array([1.0, 1.0, -1.0])

_NO_NDD = 3
_NDD_HELP = (
    "build it with envs/ndd.yaml (conda) or envs/ndd-pip.sh, see docs/ndd.md, "
    "and name its python in TEXALIGN_NDD_PYTHON; or use estimator nsb"
)
_NDD_PROGRAM = f"""
import json, sys
try:
    import ndd
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit({_NO_NDD})
results = [ndd.entropy(counts, k=k, return_std=True) for counts, k in json.load(sys.stdin)]
print(json.dumps([[float(nats), float(sd)] for nats, sd in results]))
"""


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


def plugin_entropy(counts):
    """Entropy of the observed frequencies, in nats (maximum likelihood; biased low).

    Parameters
    ----------
    counts : array_like of int, any shape
        How often each state was seen.

    Returns
    -------
    float

    Raises
    ------
    InputError
        No counts, or counts that are not whole numbers >= 0.
    """
    counts = _checked_counts(counts)
    frequencies = counts / counts.sum()
    # + 0.0 so that one state gives 0.0, not -0.0.
    return float(-xlogy(frequencies, frequencies).sum() + 0.0)


def nsb_entropy(counts, n_states=None):
    """Posterior mean and standard deviation of the entropy under the NSB prior, in nats.

    The prior is a mixture of symmetric Dirichlet priors with concentration alpha per state, weighted
    by d xi / d alpha, where xi is the expected entropy under one of them ([1]_): nearly
    flat in entropy. Moments for a given alpha are those of [2]_. The integral over log alpha runs
    over the whole prior, by the trapezoidal rule between the points where the integrand has fallen
    to exp(-40) of its peak; for a smooth integrand that vanishes at both ends its error falls
    exponentially. The entropy is within 1e-9 nats of brute force, also for single counts in 10^6
    states.

    Parameters
    ----------
    counts : array_like of int, any shape
        How often each state was seen. States never seen may be left out if `n_states` is given.
    n_states : int, optional
        Size of the alphabet, states never seen included. If unknown, the rule of the package `ndd`
        1.10.6: without any coincidence the plug-in value with infinite standard deviation; with fewer
        than 10 % coincidences the asymptotic estimator of [4]_; else NSB with an alphabet so large that
        a tenfold larger one changes the entropy by less than 1e-3 per unit of log(n_states). The search
        starts from the states listed in `counts`, zeros included.

    Returns
    -------
    nats : float
        Posterior mean.
    sd_nats : float
        Posterior standard deviation.

    Raises
    ------
    InputError
        No counts, counts that are not whole numbers >= 0, or fewer states than were seen.

    Examples
    --------
    >>> nats, sd_nats = nsb_entropy([4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2], 100)
    >>> round(nats, 4), round(sd_nats, 4)
    (2.8061, 0.1195)
    """
    counts = _checked_counts(counts)
    if n_states is None:
        return _unknown_alphabet(counts)
    return _moments(*_posterior(counts, _checked_states(n_states, counts))[1:])


def contingency(classes, clusters):
    """Count the textures of each class in each cluster.

    Parameters
    ----------
    classes, clusters : array_like, shape (n,)
        One label per texture, of any type that sorts.

    Returns
    -------
    array of int, shape (n_classes, n_clusters)
        Rows and columns in the sorted order of the labels that occur.

    Raises
    ------
    InputError
        No labels, or unequal numbers of them.
    """
    return _table(*_coded(classes, clusters))


def mutual_information(classes, clusters, estimator="nsb", n_classes=None, n_clusters=None, ndd_python=None):
    """Mutual information of classes and clusters, I = H(class) + H(cluster) - H(class, cluster).

    As in ``ndd.mutual_information``, each entropy is corrected by itself, and the joint alphabet is
    the product of the two. I never exceeds min(H(class), H(cluster)), which is `max_bits`; the
    estimate does so only by its own error.

    `ndd` gives no error bar for mutual information. `sd_bits` adds the three posterior standard
    deviations in quadrature, which is what can be made of what `ndd` does give. The entropies come
    from the same textures, so this is not exact: drawing I from the joint NSB posterior gave standard
    deviations of 0.7 to 1.1 times `sd_bits` (tests/unit/test_information.py). Nor can it know where
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
    rows, columns = _coded(classes, clusters)
    table = _table(rows, columns)
    n_classes = _checked_states(n_classes, table.sum(1), "n_classes")
    n_clusters = _checked_states(n_clusters, table.sum(0), "n_clusters")
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
    rows, columns = _coded(classes, clusters)
    table = _table(rows, columns)
    generator = np.random.default_rng(seed)
    shuffled = [(_table(rows, generator.permutation(columns)), table.size) for _ in range(permutations)]
    # Shuffling leaves the marginals alone.
    marginals = [(table.sum(1), len(table)), (table.sum(0), len(table.T))]
    h_class, h_cluster, *h_joint = _entropies(marginals + shuffled, estimator, ndd_python)[:, 0] / np.log(2)
    return h_class + h_cluster - np.array(h_joint)


# ------------------------------------------------------------------------------ what the user gave


def _checked_counts(counts):
    """Flatten counts to floats (products of large integers would overflow)."""
    given = np.asarray(counts).ravel()
    if not given.size:
        raise InputError("counts: empty; give at least one count")
    try:
        values = given.astype(float)
    except (TypeError, ValueError):
        raise InputError(f"counts: {given[0]!r}, ... are not numbers; give whole numbers >= 0") from None
    bad = ~((values >= 0) & np.isfinite(values) & (values == np.floor(values)))
    if bad.any():
        raise InputError(f"counts: {values[bad][0]:g} at place {bad.argmax()} is not a whole number >= 0")
    if not values.any():
        raise InputError("counts: all are zero; give at least one observation")
    return values


def _checked_states(n_states, counts, name="n_states"):
    seen = int(np.count_nonzero(counts))
    if n_states is None:
        return seen
    try:
        whole = int(n_states)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != n_states or whole < 1:
        raise InputError(f"{name}: {n_states!r} is not a whole number >= 1")
    if whole < seen:
        raise InputError(f"{name}: {whole} is less than the {seen} that occur; give at least {seen}")
    return whole


def _coded(classes, clusters):
    """Labels as integers 0, 1, ... in their sorted order."""
    classes, clusters = np.asarray(classes).ravel(), np.asarray(clusters).ravel()
    if len(classes) != len(clusters):
        raise InputError(
            f"{len(classes)} class labels for {len(clusters)} cluster labels; give one each per texture"
        )
    if not len(classes):
        raise InputError("no labels; give at least one texture")
    try:
        return np.unique(classes, return_inverse=True)[1], np.unique(clusters, return_inverse=True)[1]
    except TypeError as error:
        raise InputError(f"labels that cannot be sorted ({error}); give all strings or all numbers") from None


def _table(rows, columns):
    shape = rows.max() + 1, columns.max() + 1
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


# ---------------------------------------------------------------------------------- the NSB integral


def _posterior(counts, n_states):
    """NSB posterior of the concentration alpha, with the entropy's moments for each alpha.

    Returns
    -------
    alpha, weights, means, variances : arrays, shape (nodes,)
        `weights` sum to 1; entropies in nats.
    """
    if n_states == 1:
        return np.ones(1), np.ones(1), np.zeros(1), np.zeros(1)
    values, times = np.unique(counts[counts > 0], return_counts=True)
    n_states = float(n_states)
    # Below, the integrand falls at least like alpha * n_states; above, the data say nothing more
    # once alpha exceeds n squared, and the prior falls like 1 / alpha.
    low, high = -_DEPTH - 5 - np.log(n_states), _DEPTH + 2 * np.log(values @ times)
    nodes = np.linspace(low, high, _COARSE_NODES)
    while True:
        log_weights = _log_integrand(nodes, values, times, n_states)
        inside = np.flatnonzero(log_weights > log_weights.max() - _DEPTH)
        low, high = nodes[max(inside[0] - 1, 0)], nodes[min(inside[-1] + 1, len(nodes) - 1)]
        if high - low > (nodes[-1] - nodes[0]) / 2:
            break
        nodes = np.linspace(low, high, _FINE_NODES)
    weights = np.exp(log_weights - log_weights.max())
    alpha = np.exp(nodes)
    return alpha, weights / weights.sum(), *_dirichlet_moments(alpha, values, times, n_states)


def _moments(weights, means, variances):
    mean = weights @ means
    return float(mean), float(np.sqrt(weights @ (variances + (means - mean) ** 2)))


def _log_integrand(log_alpha, values, times, n_states):
    """Log of prior times likelihood per unit of log alpha, up to a constant."""
    alpha = np.exp(log_alpha)
    likelihood = _log_rising(alpha, values) @ times - _log_rising(alpha * n_states, [values @ times])[:, 0]
    return log_alpha + np.log(_prior(alpha, n_states)) + likelihood


def _prior(alpha, n_states):
    """Density d xi / d alpha = K psi1(K alpha + 1) - psi1(alpha + 1) of [1]_, without cancellation."""
    direct = n_states * zeta(2, n_states * alpha + 1) - zeta(2, alpha + 1)
    large = np.maximum(alpha, _LARGE)
    return np.where(alpha < _LARGE, direct, _excess(large) - n_states * _excess(n_states * large))


def _excess(x):
    """1 / x - psi1(x + 1), by its asymptotic series."""
    y = 1 / x
    return y**2 * (1 / 2 - y * (1 / 6 - y**2 * (1 / 30 - y**2 * (1 / 42 - y**2 / 30))))


def _log_rising(x, m):
    """Log of Gamma(x + m) / (Gamma(x) x^m), shape (len(x), len(m)).

    The factor x^m is common to all alphas once prior states and data are put together; without it
    nothing large is left to cancel.
    """
    x, m = np.asarray(x)[:, None], np.asarray(m)[None, :]
    small = (x < _LARGE)[:, 0]
    result = np.empty((x.shape[0], m.shape[1]))
    s = x[small]
    result[small] = gammaln(s + m) - gammaln(s) - m * np.log(s)
    b = x[~small]
    result[~small] = (b + m - 0.5) * np.log1p(m / b) - m + _stirling(b + m) - _stirling(b)
    return result


def _stirling(x):
    y = 1 / x
    return y * (1 / 12 - y**2 * (1 / 360 - y**2 * (1 / 1260 - y**2 / 1680)))


def _dirichlet_moments(alpha, values, times, n_states):
    """Mean and variance of the entropy (nats) of a Dirichlet posterior, [2]_, for each alpha.

    The variance is written around the mean of psi(a + 1), so that no large numbers cancel:
    sum a (psi(a + 1) - mean)^2 / (nu (nu + 1)) + sum a (a + 1) psi1(a + 1) / (nu (nu + 1)) - psi1(nu + 1).
    """
    a = alpha[:, None] + np.append(values, 0.0)
    a_times = a * np.append(times, n_states - times.sum())
    nu = values @ times + n_states * alpha
    psi = digamma(a + 1)
    mean = (a_times * psi).sum(1) / nu
    spread = (a_times * ((psi - mean[:, None]) ** 2 + (a + 1) * zeta(2, a + 1))).sum(1)
    variance = spread / (nu * (nu + 1)) - zeta(2, nu + 1)
    return digamma(nu + 1) - mean, np.maximum(variance, 0.0)


def _unknown_alphabet(counts):
    n, seen = counts.sum(), np.count_nonzero(counts)
    coincidences = n - seen
    if not coincidences:
        return plugin_entropy(counts), np.inf
    if coincidences < 0.1 * n:
        asymptotic = np.euler_gamma - np.log(2) + 2 * np.log(n) - digamma(coincidences)
        return float(asymptotic), float(np.sqrt(zeta(2, coincidences)))
    n_states = counts.size
    nats, _ = nsb_entropy(counts, n_states)
    for _ in range(40):
        n_states, previous = 10 * n_states, nats
        nats, _ = nsb_entropy(counts, n_states)
        if nats - previous < 1e-3 * np.log(10):
            break
    return nsb_entropy(counts, round(n_states / np.sqrt(10)))


# ------------------------------------------------------------------------------- mutual information


def _entropies(parts, estimator, ndd_python=None):
    """Entropies and their standard deviations in nats, shape (len(parts), 2).

    `parts` are pairs of counts and alphabet size.
    """
    if estimator == "nsb":
        return np.array([nsb_entropy(counts, n_states) for counts, n_states in parts])
    if estimator == "ndd":
        return _ndd_entropies(parts, ndd_python)
    if estimator == "plugin":
        return np.array([(plugin_entropy(counts), np.nan) for counts, _ in parts])
    raise InputError(f"estimator: {estimator!r} is not one of {', '.join(ESTIMATORS)}")


def _plugin_sd(table):
    seen = table > 0
    p = table[seen] / table.sum()
    log_ratio = np.log(p * table.sum() ** 2 / np.outer(table.sum(1), table.sum(0))[seen])
    return np.sqrt(p @ (log_ratio - p @ log_ratio) ** 2 / table.sum())


def _ndd_entropies(parts, python=None):
    """Ask the package `ndd`, in one process for all tables."""
    python = python or os.environ.get("TEXALIGN_NDD_PYTHON") or sys.executable
    tables = [(counts[counts > 0].tolist(), n_states) for counts, n_states in parts]
    try:
        done = subprocess.run(
            [python, "-c", _NDD_PROGRAM], input=json.dumps(tables), capture_output=True, text=True
        )
    except OSError as error:
        raise InputError(f"estimator ndd: cannot start {python} ({error.strerror}); {_NDD_HELP}") from None
    complaint = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    if done.returncode == _NO_NDD:
        raise InputError(f"estimator ndd: {python} cannot import it ({complaint}); {_NDD_HELP}")
    # Its Fortran code may stop the interpreter with exit status 0 and nothing said on stdout.
    if done.returncode or not done.stdout:
        raise InputError(f"estimator ndd: the package gave up ({complaint}); use estimator nsb")
    return np.array(json.loads(done.stdout))
