"""What a linear classifier reads out of a representation: soft-max regression in the dual.

The texture synthesis paper [1]_ (section 6, Fig. 4) trains a linear classifier on the Gram matrices of each
layer. A Gram matrix of 512 channels has 131,328 numbers, but n of them span n dimensions at most: inner
products of all textures, which follow from their distances, hold all that a linear classifier with a
quadratic penalty can use.

References
----------
.. [1] L. A. Gatys, A. S. Ecker, M. Bethge, "Texture synthesis using convolutional neural
   networks", NIPS 2015.
.. [2] N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM Review 53 (2011)
   217.
.. [3] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52 (2003) 239.
"""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats
from scipy.linalg import eigh, qr
from scipy.special import softmax

from texalign import joins
from texalign.errors import InputError
from texalign.geometry.condensed import square

log = logging.getLogger(__name__)

#: Penalties that are tried, from weak classifiers to strong: weight of the errors, as scikit-learn's C.
PENALTIES = (1e0, 1e1, 1e2, 1e3, 1e4)

#: Largest gradient at which a fit ends. Accuracies are then within 0.001 of those at a thirtieth of it, a
#: third of what they differ by between splits of DTD's size.
TOLERANCE = 3e-4

#: Added to the curvature along an intercept, which has no penalty.
TINY = 1e-6

#: Textures up to which all coordinates are taken.
SMALL = 1000


class Split(NamedTuple):
    """Positions of textures to fit with, to choose the penalty with, and to test with."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def coordinates(euclidean, rank=512, seed=0):
    """Coordinates of textures in which inner products are those of their rows, as far as `rank` reaches.

    Parameters
    ----------
    euclidean : array, shape (n(n-1)/2,)
        Distances of the rows, condensed.
    rank : int
        Largest principal components that are kept; of `SMALL` textures or less, all are.
    seed : int
        Of the random start of the decomposition [2]_.

    Returns
    -------
    points : array, float32, shape (n, r)
        About their mean, scaled to a mean squared norm of 1. The classes have no part in it.
    share : float
        Of the rows' variance that the points hold.
    """
    products = square(np.asarray(euclidean, np.float32))
    np.square(products, out=products)
    products *= -0.5
    means = products.mean(axis=0, dtype=np.float64)
    products -= means.astype(np.float32)
    products -= (means - means.mean()).astype(np.float32)[:, None]
    total = float(products.trace(dtype=np.float64))
    if not total > 0:
        return np.zeros((len(products), 1), np.float32), np.nan
    n = len(products)
    if n <= SMALL:
        values, vectors = eigh(products.astype(np.float64))
    else:
        start = np.random.default_rng(seed).normal(size=(n, min(rank + 16, n))).astype(np.float32)
        basis = products @ start
        for _ in range(2):
            basis = products @ qr(basis, mode="economic", overwrite_a=True)[0]
        basis = qr(basis, mode="economic", overwrite_a=True)[0]
        values, turned = eigh((basis.T @ (products @ basis)).astype(np.float64))
        values, turned = values[-rank:], turned[:, -rank:]
        vectors = basis @ turned.astype(np.float32)
    kept = values > 1e-8 * values[-1]  # beyond is the rounding of float32
    points = vectors[:, kept] * np.sqrt(values[kept])
    return (points[:, ::-1] * np.sqrt(n / total)).astype(np.float32), float(values[kept].sum() / total)


def fit(points, classes, count, penalty, start=None, tolerance=TOLERANCE):
    """Fit a soft-max regression with an intercept.

    Parameters
    ----------
    points : array, float32 or float64, shape (n, r)
        The products are taken in its precision.
    classes : array of int, shape (n,)
        0 ... c-1.
    count : int
        c; some classes may have no texture.
    penalty : float
        Weight of the summed cross-entropy against half of the squared weights, scikit-learn's C.
    start : array, shape (c, r + 1), optional
        Weights to start from.
    tolerance : float
        Largest gradient at the end, in the scaled variables.

    Returns
    -------
    array, float64, shape (c, r + 1)
        Weights, and the intercepts in the last column.

    Notes
    -----
    The same minimum as `sklearn.linear_model.LogisticRegression`, in a fraction of its time: the variables
    are scaled by the curvature that the loss has along each of them, without which the steep spectrum of
    Gram matrices stops L-BFGS far from the minimum. Curvatures are the geometric means of those at zero
    weights, where all classes are equally likely, and at the start: a texture's goes from one to the other.
    """
    n, r = points.shape
    alpha, rows = 1 / (penalty * n), np.arange(n)
    first = np.zeros((count, r + 1)) if start is None else start
    scale = 1 / np.sqrt(_curvature(points, first, count) + np.append(np.full(r, alpha), TINY))

    def loss(flat):
        weights = flat.reshape(count, r + 1) * scale
        shares = scores(points, weights.astype(points.dtype))
        shares -= shares.max(axis=1, keepdims=True)
        right = shares[rows, classes].sum(dtype=np.float64)
        np.exp(shares, out=shares)
        sums = shares.sum(axis=1, keepdims=True)
        value = (np.log(sums).sum(dtype=np.float64) - right) / n
        value += 0.5 * alpha * float(np.square(weights[:, :r]).sum())
        shares /= sums
        shares[rows, classes] -= 1
        gradient = np.empty_like(weights)
        gradient[:, :r] = shares.T @ points / n + alpha * weights[:, :r]
        gradient[:, r] = shares.mean(axis=0, dtype=np.float64)
        return value, (gradient * scale).ravel()

    options = {"maxiter": 500, "gtol": tolerance, "ftol": 0}
    found = optimize.minimize(loss, (first / scale).ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(count, r + 1) * scale


def _curvature(points, weights, count):
    """Curvature of the mean cross-entropy along each weight and intercept: see `fit`, shape (c, r + 1)."""
    shares = softmax(scores(points, weights.astype(points.dtype)), axis=1)
    shares *= 1 - shares
    squares = np.square(points)
    here = np.column_stack([shares.T @ squares / len(points), shares.mean(axis=0)])
    return np.sqrt(here * np.append(squares.mean(axis=0), 1) / count)


def scores(points, weights):
    """Score each class for each texture, shape (n, c); the highest is what the classifier says."""
    return points @ weights[:, :-1].T + weights[:, -1]


def hits(points, classes, weights, among=1):
    """Tell of each texture whether its class is among the classes with the highest scores.

    Parameters
    ----------
    points, weights
        See `fit`.
    classes : array of int, shape (n,)
    among : int

    Returns
    -------
    array of bool, shape (n,)
    """
    found = scores(points, weights)
    own = found[np.arange(len(classes)), classes][:, None]
    return (found > own).sum(axis=1) < among


def choose(points, classes, count, split):
    """Fit with each penalty, and choose the one that the validation set is told best with.

    Parameters
    ----------
    points, classes, count
        See `fit`.
    split : Split

    Returns
    -------
    penalty : float
        The weakest of equals; a middle one where there is nothing to validate with.
    weights : array
        Of the textures for training and validation together.
    """
    best, chosen, weights, worse = -1.0, (PENALTIES[len(PENALTIES) // 2], None), None, 0
    for penalty in PENALTIES if len(split.validation) else ():
        weights = fit(points[split.train], classes[split.train], count, penalty, weights)
        accuracy = hits(points[split.validation], classes[split.validation], weights).mean()
        worse = 0 if accuracy > best else worse + 1
        if accuracy > best:
            best, chosen = accuracy, (penalty, weights)
        if worse == 2:
            break
    both = np.concatenate([split.train, split.validation])
    return chosen[0], fit(points[both], classes[both], count, *chosen)


def decode(points, labels, splits):
    """Decode the label of each texture from a representation.

    Parameters
    ----------
    points : array, shape (n, r)
        As `coordinates` gives them.
    labels : sequence of str, shape (n,)
    splits : sequence of Split

    Returns
    -------
    dict
        Columns of the table, explained in docs/results.md.
    """
    names, classes = np.unique(np.asarray(labels), return_inverse=True)
    accuracies, five, penalties = [], [], []
    for split in splits:
        penalty, weights = choose(points, classes, len(names), split)
        accuracies.append(hits(points[split.test], classes[split.test], weights).mean())
        five.append(hits(points[split.test], classes[split.test], weights, 5).mean())
        penalties.append(penalty)
    fitted = len(splits[0].train) + len(splits[0].validation)
    low, high = interval(accuracies, fitted, len(splits[0].test))
    return {
        "n": len(classes),
        "n_labels": len(names),
        "splits": len(splits),
        "n_fit": fitted,
        "n_test": len(splits[0].test),
        "accuracy": float(np.mean(accuracies)),
        "accuracy_std": float(np.std(accuracies, ddof=1)) if len(splits) > 1 else np.nan,
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_top5": float(np.mean(five)),
        "chance": float(np.bincount(classes).max() / len(classes)),
        "penalty": float(np.median(penalties)),
    }


def interval(accuracies, n_fit, n_test, level=0.95):
    """Interval of an accuracy over splits that share textures [3]_.

    Parameters
    ----------
    accuracies : sequence of float
        One a split.
    n_fit, n_test : int
        Textures in each.
    level : float

    Returns
    -------
    low, high : float
        Within 0 and 1. Splits of the same textures differ less than new textures would, so that the variance
        of their mean is taken to be (1/J + n_test/n_fit) of theirs. NaN for one split.
    """
    count = len(accuracies)
    if count < 2:
        return np.nan, np.nan
    spread = np.std(accuracies, ddof=1) * np.sqrt(1 / count + n_test / n_fit)
    half = stats.t.ppf((1 + level) / 2, count - 1) * spread
    return tuple(np.clip([np.mean(accuracies) - half, np.mean(accuracies) + half], 0, 1).tolist())


def stratified(labels, count=10, seed=0):
    """Split textures into thirds of each label, at random.

    Parameters
    ----------
    labels : sequence of str
    count, seed : int

    Returns
    -------
    list of Split
        A label with two textures has one for training and one for testing.

    Raises
    ------
    InputError
        A label has one texture only.
    """
    classes = np.unique(np.asarray(labels), return_inverse=True)[1]
    sizes = np.bincount(classes)
    if sizes.min() < 2:
        name = str(np.unique(np.asarray(labels))[sizes.argmin()])
        raise InputError(
            f"decoding: {name!r} has one texture; a label needs two at least, to fit and to test"
        )
    generator, found = np.random.default_rng(seed), []
    for _ in range(count):
        parts = [[], [], []]
        for i in range(len(sizes)):
            members = generator.permutation(np.flatnonzero(classes == i))
            third = len(members) // 3
            edges = [len(members) - 2 * max(third, 1) + (third == 0), len(members) - max(third, 1)]
            for part, taken in zip(parts, np.split(members, edges), strict=True):
                part.append(taken)
        found.append(Split(*(np.sort(np.concatenate(part)) for part in parts)))
    return found


def read_labels(path, files):
    """Read labels of textures from a file of one's own.

    Parameters
    ----------
    path : str or Path
        A CSV with the columns ``file`` and ``label``; see `texalign.joins.by_name` for the names.
    files : sequence of str
        The textures.

    Returns
    -------
    kept : array of int, shape (m,)
        Textures that have a label.
    labels : array of str, shape (m,)
    """
    columns = joins.read_columns(path, ("file", "label"))
    joined = joins.by_name(columns["file"], files, path)
    if left := joins.told(joined, path):
        log.warning("%s", left)
    return joined.textures, np.asarray(columns["label"])[joined.rows]


def official(folder, files):
    """Read the splits that come with the Describable Textures Dataset.

    Parameters
    ----------
    folder : str or Path
        Its folder ``labels``: ``train1.txt``, ``val1.txt``, ``test1.txt`` to 10, a file a line.
    files : sequence of str
        The study's textures; others in the lists are left out.

    Returns
    -------
    list of Split

    Raises
    ------
    InputError
        A list is missing, or has none of the textures.
    """
    place, found = {file: i for i, file in enumerate(files)}, []
    for number in range(1, 11):
        parts = []
        for name in ("train", "val", "test"):
            path = Path(folder, f"{name}{number}.txt")
            try:
                lines = path.read_text(encoding="utf-8").split()
            except OSError as error:
                raise InputError(
                    f"{path}: cannot be read ({error}); delete the folder, and run again"
                ) from error
            parts.append(np.array(sorted(place[line] for line in lines if line in place), int))
            if not len(parts[-1]):
                raise InputError(f"{path}: names none of the study's textures; is it DTD's?")
        found.append(Split(*parts))
    return found
