"""How far a representation agrees with people: rank correlation of RDMs, its null, its noise ceiling."""

import importlib
import importlib.util

import numpy as np

from texalign.errors import InputError
from texalign.geometry.compare import standardized
from texalign.geometry.condensed import condensed_count, condensed_rows, square

#: What is compared: pairs of textures, and pairs of classes.
LEVELS = ("image", "class")

#: Orders of the classes, where RDMs of classes are compared.
CLASS_PERMUTATIONS = 10_000

#: Textures, or classes, up to which all pairs are taken from a square matrix at once.
FEW = 500

#: What to do where the package is missing.
INSTALL = "rsatoolbox is not installed; run: pip install -r envs/human.txt, or use --sdm conda"


def toolbox():
    """Load rsatoolbox, which is optional.

    Raises
    ------
    InputError
        It is not installed.
    """
    if importlib.util.find_spec("rsatoolbox") is None:
        raise InputError(f"human: {INSTALL}")
    return importlib.import_module("rsatoolbox")


def class_means(condensed, classes):
    """RDM of the classes: mean distance of a texture of one and a texture of the other, condensed.

    Parameters
    ----------
    condensed : array, shape (n(n-1)/2,)
    classes : sequence of str, shape (n,)

    Returns
    -------
    array, float64, shape (c(c-1)/2,)
        In the sorted order of the classes.
    """
    names, codes = np.unique(np.asarray(classes), return_inverse=True)
    sums, n = np.zeros((len(names), len(names))), len(codes)
    for i, part in condensed_rows(n):
        sums[codes[i]] += np.bincount(codes[i + 1 :], condensed[part], len(names))
    sizes = np.bincount(codes)
    means = (sums + sums.T) / np.outer(sizes, sizes)
    return means[np.triu_indices(len(names), 1)]


def rank_correlation(ours, theirs):
    """Spearman's correlation of two condensed RDMs, with average ranks of ties.

    Parameters
    ----------
    ours, theirs : array, shape (m,)

    Returns
    -------
    float
        NaN where the distances of one are all the same.
    """
    return float(standardized(ours, "spearman") @ standardized(theirs, "spearman"))


def permutation_p(ours, theirs, permutations, seed=0):
    """How often textures in another order agree as well with people: Mantel's test of rank correlations.

    Parameters
    ----------
    ours : array, float32, shape (l, m)
        Standardized ranks of condensed RDMs: see `texalign.geometry.compare.standardized`.
    theirs : array, float32, shape (m,)
        The same of people's RDM, whose textures are put into other orders, the same for all of `ours`.
    permutations, seed : int

    Returns
    -------
    array, shape (l,)
        One-sided: share of orders that agree at least as well. The one that was seen counts as one of them.
    """
    ours = np.atleast_2d(ours)
    seen, people = ours @ theirs, square(np.asarray(theirs))
    n, reached = len(people), np.zeros(len(ours))
    generator, pairs = np.random.default_rng(seed), np.triu_indices(n, 1) if n <= FEW else None
    for _ in range(permutations):
        order = generator.permutation(n)
        if pairs:
            found = ours @ people[order[pairs[0]], order[pairs[1]]]
        else:
            found = np.zeros(len(ours))
            for i, part in condensed_rows(n):
                found += ours[:, part] @ people[order[i]][order[i + 1 :]]
        reached += found >= seen - 1e-6
    return np.where(np.isnan(seen), np.nan, (1 + reached) / (1 + permutations))


def noise_ceiling(observers):
    """Bounds of the mean rank correlation that a model can have with several people's RDMs.

    Parameters
    ----------
    observers : array, shape (o, m)
        Condensed RDMs of the same textures.

    Returns
    -------
    low, high : float
        By rsatoolbox: each observer's correlation with the mean ranks of the others, and of all. NaN for one.
    """
    if len(observers) < 2:
        return np.nan, np.nan
    toolbox()
    rdm = importlib.import_module("rsatoolbox.rdm")
    inference = importlib.import_module("rsatoolbox.inference")
    return tuple(map(float, inference.boot_noise_ceiling(rdm.RDMs(np.asarray(observers)), "spearman")))


def spearman_brown(halves):
    """Reliability of the whole from the correlation of its halves, 2r / (1 + r)."""
    return 2 * halves / (1 + halves)


def reliability(halves, observers, classes):
    """How far people agree with each other, of textures and of classes.

    Parameters
    ----------
    halves : iterable of array, shape (2, m)
        RDMs of both halves of what people said, for each of several splits.
    observers : array, shape (o, m)
        See `compare`.
    classes : sequence of str

    Returns
    -------
    dict of str to dict
        For the levels ``image`` and ``class``: ``split_half``, the mean rank correlation of two halves, and
        its spread ``split_half_std``; ``reliability`` of the whole, by Spearman and Brown; ``ceiling``, its
        root, which no model's correlation with the whole exceeds but by chance; and ``ceiling_low`` and
        ``ceiling_high``, bounds of the mean correlation with the observers: see `noise_ceiling`.
    """
    found = {level: [] for level in LEVELS}
    for first, second in halves:
        found["image"].append(rank_correlation(first, second))
        found["class"].append(rank_correlation(class_means(first, classes), class_means(second, classes)))
    found = {level: _reliability(np.array(values)) for level, values in found.items()}
    for level, row in found.items():
        seen = observers if level == "image" else [class_means(rdm, classes) for rdm in observers]
        row["ceiling_low"], row["ceiling_high"] = noise_ceiling(seen)
    return found


def observer_halves(observers, splits, seed=0):
    """Mean RDMs of random halves of the observers; nothing of one observer.

    Parameters
    ----------
    observers : array, shape (o, m)
    splits, seed : int

    Yields
    ------
    array, shape (2, m)
    """
    generator, count = np.random.default_rng(seed), len(observers)
    for _ in range(splits if count > 1 else 0):
        order = generator.permutation(count)
        yield np.stack(
            [observers[order[: count // 2]].mean(axis=0), observers[order[count // 2 :]].mean(axis=0)]
        )


def _reliability(values):
    mean = float(values.mean()) if len(values) else np.nan
    whole = spearman_brown(mean) if mean > -1 else np.nan
    return {
        "split_half": mean,
        "split_half_std": float(values.std(ddof=1)) if len(values) > 1 else np.nan,
        "reliability": whole,
        "ceiling": float(np.sqrt(whole)) if whole >= 0 else np.nan,
    }


def compare(ours, people, observers, classes, permutations, seed=0, by_class=False):
    """Hold RDMs of a network's layers against people's, of textures and of classes.

    Parameters
    ----------
    ours : sequence of array, shape (m,)
        Condensed RDMs of the same textures.
    people : array, shape (m,)
    observers : array, shape (o, m)
        People's RDMs one by one, or those of halves of what they said.
    classes : sequence of str
    permutations, seed : int
        Orders of the textures; of classes, `CLASS_PERMUTATIONS`.
    by_class : bool
        People judged classes: there is nothing to say of textures.

    Returns
    -------
    list of list of dict
        For each RDM a row a level: ``level``, ``n`` (textures, or classes), ``score``, the rank correlation
        with people's RDM; ``score_observers``, its mean over the observers' RDMs (NaN for one);
        ``p_permutation``.
    """
    rows = [[] for _ in ours]
    for level in LEVELS[by_class:]:
        if level == "class":
            ours, observers = ([class_means(rdm, classes) for rdm in many] for many in (ours, observers))
            people, permutations = class_means(people, classes), CLASS_PERMUTATIONS
        ranks = np.stack([standardized(rdm, "spearman") for rdm in ours])
        of_people = standardized(people, "spearman")
        each = np.stack([standardized(rdm, "spearman") for rdm in [*observers, people]])[: len(observers)]
        n = condensed_count(len(of_people))
        scores = ranks @ of_people
        means = (ranks @ each.T).mean(axis=1) if len(each) > 1 else np.full(len(ranks), np.nan)
        p = permutation_p(ranks, of_people, permutations, seed)
        for own, score, mean, chance in zip(rows, scores, means, p, strict=True):
            own.append(
                {
                    "level": level,
                    "n": n,
                    "score": float(score),
                    "score_observers": float(mean),
                    "p_permutation": float(chance),
                }
            )
    return rows
