"""Odd-one-out choices: which of three textures an observer found odd, and which a representation would."""

from typing import NamedTuple

import numpy as np

from texalign import joins
from texalign.errors import InputError


class Triplets(NamedTuple):
    """Choices among three textures.

    Attributes
    ----------
    textures : array of int, shape (t, 3)
        Positions of the textures; the third is the one that was chosen as odd.
    triplet : array of int, shape (t,)
        Which three they are, whatever their order and who chose.
    """

    textures: np.ndarray
    triplet: np.ndarray


def read_triplets(path, files, where):
    """Read choices, and join them with the textures by name.

    Parameters
    ----------
    path : str or Path
        CSV with the columns ``first``, ``second``, ``third`` and ``odd``, the name of one of the three; a row
        a choice.
    files : sequence of str
        The textures.
    where : str
        What the choices are called in errors.

    Returns
    -------
    triplets : Triplets
        Of textures of the study only.
    joined : texalign.joins.Joined
        What was joined.

    Raises
    ------
    InputError
        A row has a texture twice, or the odd one is none of the three; or no row is left.
    """
    columns = joins.read_columns(path, ("first", "second", "third", "odd"))
    rows = list(zip(*columns.values(), strict=True))
    for number, (*three, odd) in enumerate(rows, start=2):
        if odd not in three or len(set(three)) < 3:
            what = "has a texture twice" if odd in three else f"odd is {odd!r}, none of the three"
            raise InputError(f"{where}: {path}: row {number}: {what}; correct it")
    names = sorted({name for row in rows for name in row})
    joined = joins.by_name(names, files, where)
    place = dict(zip((names[i] for i in joined.rows), joined.textures, strict=True))
    found = [
        [place[name] for name in three if name != odd] + [place[odd]]
        for *three, odd in rows
        if all(name in place for name in three)
    ]
    if not found:
        raise InputError(f"{where}: {path}: no row has three textures of the study")
    textures = np.array(found)
    return Triplets(
        textures, np.unique(np.sort(textures, axis=1), axis=0, return_inverse=True)[1].ravel()
    ), joined


def predicted(rdm, triplets):
    """Which choices a representation predicts: the odd one is that outside of the nearest pair.

    Parameters
    ----------
    rdm : array, shape (n, n)
        Distances.
    triplets : Triplets

    Returns
    -------
    array, float64, shape (t,)
        1 and 0; what is shared where distances tie.
    """
    a, b, odd = triplets.textures.T
    pairs = np.stack([rdm[a, b], rdm[a, odd], rdm[b, odd]])
    nearest = pairs == pairs.min(axis=0)
    return nearest[0] / nearest.sum(axis=0)


def majority(triplets):
    """Share of choices that agree with the other observers, of the triplets that were asked several times.

    Parameters
    ----------
    triplets : Triplets

    Returns
    -------
    others : float
        Share that the majority of the *other* choices of the same triplet predicts: what one more observer
        would reach. NaN where no triplet was asked twice.
    all : float
        Share that the majority of all of them predicts: what no model can exceed on these triplets.
    """
    odd = triplets.textures[:, 2]
    others, every = [], []
    for number in np.flatnonzero(np.bincount(triplets.triplet) > 1):
        chosen = odd[triplets.triplet == number]
        values, counts = np.unique(chosen, return_counts=True)
        every.append(counts.max())
        for value, count in zip(values, counts, strict=True):
            left = counts - (values == value)
            best = left == left.max()
            others.append(count * best[values == value][0] / best.sum())
    asked = np.bincount(triplets.triplet)
    total = asked[asked > 1].sum()
    return (np.sum(others) / total, np.sum(every) / total) if total else (np.nan, np.nan)


def permutation_p(rdms, triplets, permutations, seed=0):
    """How often textures in another order predict as many choices.

    Parameters
    ----------
    rdms : sequence of array, shape (n, n)
    triplets : Triplets
    permutations, seed : int

    Returns
    -------
    array, shape (len(rdms),)
        One-sided, for each RDM. The order that was seen counts as one.
    """
    used, places = np.unique(triplets.textures, return_inverse=True)
    places = places.reshape(triplets.textures.shape)
    seen = np.array([predicted(rdm, triplets).mean() for rdm in rdms])
    generator, reached = np.random.default_rng(seed), np.zeros(len(rdms))
    for _ in range(permutations):
        moved = triplets._replace(textures=generator.permutation(used)[places])
        reached += [
            predicted(rdm, moved).mean() >= share - 1e-12 for rdm, share in zip(rdms, seen, strict=True)
        ]
    return (1 + reached) / (1 + permutations)


def compare(rdms, triplets, permutations, seed=0):
    """Hold RDMs of a network's layers against choices.

    Parameters
    ----------
    rdms, triplets, permutations, seed
        See `permutation_p`.

    Returns
    -------
    list of list of dict
        A row for each RDM, as `texalign.human.agreement.compare` has them; the score is the share of choices
        that it predicts, a third by chance, and ``n`` the number of choices.
    """
    p = permutation_p(rdms, triplets, permutations, seed)
    return [
        [
            {
                "level": "image",
                "n": len(triplets.triplet),
                "score": float(predicted(rdm, triplets).mean()),
                "score_observers": np.nan,
                "p_permutation": float(chance),
            }
        ]
        for rdm, chance in zip(rdms, p, strict=True)
    ]
