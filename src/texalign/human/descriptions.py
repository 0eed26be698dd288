"""Free descriptions of textures → rows whose distances say how alike people describe them.

The descriptions of DTD's images are those of Wu et al. [1]_. Words are weighted by how rare they are (TF-IDF)
and reduced to a few dimensions (truncated SVD, known as latent semantic analysis).

References
----------
.. [1] C. Wu, M. Timm, S. Maji, "Describing textures using natural language", ECCV 2020.
"""

import json
import re
from pathlib import Path

import numpy as np

from texalign import joins
from texalign.errors import InputError
from texalign.geometry import distances

#: Where the descriptions of DTD's images are; nothing of them is part of this repository.
URL = (
    "https://raw.githubusercontent.com/ChenyunWu/DescribingTextures/"
    "88a03ae5ccdb29dbe4906aed271462e43e215146/data_api/data/image_descriptions.json"
)
SHA256 = "025216c41dcb73770c1e8373ab9291a970d68dce59d8441c0efb0007770775ae"

#: Letters of a class name's beginning by which a word names the class.
LETTERS = 4

#: What is compared: all words, and those that name no class.
WORDS = ("all words", "no class words")


def read_descriptions(path):
    """Read descriptions of images.

    Parameters
    ----------
    path : str or Path
        JSON, a list of ``{"image_name": "<class>/<file>", "descriptions": [...]}``; or a CSV with the columns
        ``file`` and ``description``, a row a description.

    Returns
    -------
    dict of str to list of str
        Image to its descriptions.

    Raises
    ------
    InputError
        The file is not of this form, or has no descriptions.
    """
    found = {}
    if Path(path).suffix.lower() == ".csv":
        columns = joins.read_columns(path, ("file", "description"))
        for file, text in zip(columns["file"], columns["description"], strict=True):
            found.setdefault(file, []).append(text)
    else:
        wanted = 'a list of {"image_name": "<class>/<file>", "descriptions": ["..."]}'
        try:
            for entry in json.loads(Path(path).read_text(encoding="utf-8")):
                found.setdefault(entry["image_name"], []).extend(map(str, entry["descriptions"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: no descriptions ({type(error).__name__}: {error}); give {wanted}, or a CSV"
            ) from error
    found = {file: texts for file, texts in found.items() if any(text.strip() for text in texts)}
    if not found:
        raise InputError(f"{path}: has no description of any image")
    return found


def class_beginnings(classes):
    """First letters of the words that class names are made of.

    Examples
    --------
    >>> sorted(class_beginnings(["polka-dotted", "zigzagged"]))
    ['dott', 'polk', 'zigz']
    """
    return {word[:LETTERS] for name in classes for word in re.findall(r"[^\W\d_]+", name.lower())}


def describe(texts, without=(), components=100, seed=0):
    """Turn each texture's descriptions into a row.

    Parameters
    ----------
    texts : sequence of list of str
        Descriptions of each texture.
    without : set of str
        Words that begin like one of these are left out: see `class_beginnings`.
    components : int
        Dimensions, at most.
    seed : int
        Of the decomposition.

    Returns
    -------
    array, float32, shape (n, d)
        Of norm one; zero where no word is left. Weights are (1 + log count) log(1 + n)/(1 + textures with the
        word), plus one, as scikit-learn smooths them.

    Raises
    ------
    InputError
        There are no words.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer().build_analyzer()
    analyzer = lambda text: [word for word in words(text) if word[:LETTERS] not in without]  # noqa: E731
    try:
        weights = TfidfVectorizer(sublinear_tf=True, analyzer=analyzer).fit_transform(map("\n".join, texts))
    except ValueError as error:
        raise InputError(f"descriptions: no words are left ({error})") from error
    d = min(components, weights.shape[1] - 1, weights.shape[0])
    if d < 1:
        raise InputError("descriptions: all textures have the same single word")
    rows = TruncatedSVD(d, random_state=seed).fit_transform(weights)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 1e-12).astype(np.float32)


def halves(texts, generator):
    """Split the descriptions of each texture into two halves at random.

    Parameters
    ----------
    texts : sequence of list of str
        Two or more descriptions of each texture.
    generator : numpy.random.Generator

    Returns
    -------
    two lists of list of str
        Of odd numbers, the odd one goes to either at random.
    """
    first, second = [], []
    for own in texts:
        order = generator.permutation(len(own))
        cut = (len(own) + int(generator.integers(2))) // 2
        first.append([own[i] for i in order[:cut]])
        second.append([own[i] for i in order[cut:]])
    return first, second


def rdm(texts, without=(), components=100, seed=0):
    """Euclidean RDM of descriptions, condensed: see `describe`.

    A texture of which no word is left has distance 1 to all others, as one that shares no word has √2.
    """
    return distances.rdm(describe(texts, without, components, seed))


def split_rdms(texts, splits, without=(), components=100, seed=0):
    """RDMs of both halves of the descriptions, for several random splits.

    Parameters
    ----------
    texts, without, components
        See `describe`.
    splits, seed : int

    Yields
    ------
    array, float32, shape (2, n(n-1)/2)
        Euclidean RDMs. Words are weighted and reduced anew in each half, as if it was all there is.
    """
    generator = np.random.default_rng(seed)
    for _ in range(splits):
        both = halves(texts, generator)
        yield np.stack([rdm(half, without, components, seed) for half in both])
