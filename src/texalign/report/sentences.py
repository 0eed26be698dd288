"""The answer of a study in two sentences, from its tables; it says where nothing can be said."""

from typing import NamedTuple

import pandas as pd

from texalign import tables

INCONCLUSIVE = "inconclusive"


class Sentence(NamedTuple):
    """What a table says.

    Attributes
    ----------
    text : str
    verdict : str
        In a word: ``clear``, ``positive``, ``negative``, or ``inconclusive``.
    """

    text: str
    verdict: str


def of_information(mi, names):
    """Tell which network's clusters tell most of the classes, and whether that is more than the next one's.

    Parameters
    ----------
    mi : DataFrame
        The tidy table of as many clusters as classes, without controls.
    names : dict of str to str
        What networks are called.

    Returns
    -------
    Sentence
        ``clear`` where the interval of the best lies above zero and above that of the next.
    """
    best = tables.best_layers(mi).sort_values("mi_bits", ascending=False, kind="stable")
    first = best.iloc[0]
    told = (
        f"The clusters of {names[first['network']]} at {first['layer']} tell most of the classes: "
        f"{_bits(first)} of {first['h_class_bits']:.2f}"
    )
    if pd.isna(first["mi_low_bits"]):
        return Sentence(f"{told}. No interval was computed, so this is {INCONCLUSIVE}.", INCONCLUSIVE)
    if first["mi_low_bits"] <= 0:
        return Sentence(f"{told}. The interval holds zero: {INCONCLUSIVE}.", INCONCLUSIVE)
    if len(best) == 1:
        return Sentence(f"{told}, more than nothing.", "clear")
    rest = best.iloc[1:]
    near = rest[~(rest["mi_high_bits"] < first["mi_low_bits"])]
    if len(near):
        other = f"the {_bits(near.iloc[0])} of {names[near.iloc[0]['network']]}"
        more = "" if len(near) == 1 else f", and than {len(near) - 1} more,"
        return Sentence(
            f"{told}. Whether that is more than {other}{more} is {INCONCLUSIVE}: the intervals overlap.",
            INCONCLUSIVE,
        )
    return Sentence(
        f"{told}; the next is {names[rest.iloc[0]['network']]} with {_bits(rest.iloc[0])}.", "clear"
    )


def _bits(row):
    if pd.isna(row["mi_low_bits"]):
        return f"{row['mi_bits']:.2f} bits"
    return (
        f"{row['mi_corrected_bits']:.2f} bits (95 % interval {row['mi_low_bits']:.2f} to "
        f"{row['mi_high_bits']:.2f})"
    )


def of_people(references):
    """Tell what people said of the same textures, by the same read-out as a network's layer.

    Parameters
    ----------
    references : DataFrame
        `human_references.csv`: reference, kind, words, level, n, k, mi_bits, ...

    Returns
    -------
    list of str
        One for each reference that has clusters.
    """
    rows = references[(references["level"] == "image") & references["mi_bits"].notna()]
    return [_of_reference(row) for row in rows.to_dict("records")]


def _of_reference(row):
    said = ", ".join(filter(None, [row["reference"], row["kind"], row["words"]]))
    interval = (
        ""
        if pd.isna(row["mi_low_bits"])
        else f" (95 % interval {row['mi_low_bits']:.2f} to {row['mi_high_bits']:.2f})"
    )
    return (
        f"{said}: {row['k']:.0f} clusters of {row['n']:.0f} textures by what people said tell "
        f"{row['mi_bits']:.2f}{interval} of {row['h_class_bits']:.2f} bits."
    )


def of_scores(uncertainty):
    """Tell whether networks that tell more have higher scores.

    Parameters
    ----------
    uncertainty : DataFrame
        layer, metric, n, pearson_r, fisher_low, fisher_high, r_detectable, power_half.

    Returns
    -------
    Sentence
        About the first score; ``inconclusive`` where its interval holds zero, or there is none.
    """
    rows = uncertainty[(uncertainty["layer"] == "best") & uncertainty["pearson_r"].notna()]
    if rows.empty:
        return Sentence(
            f"Too few networks of this study have a Brain-Score to correlate anything: {INCONCLUSIVE}.",
            INCONCLUSIVE,
        )
    row = rows.iloc[0]
    told = f"Over {row['n']:.0f} networks, this information and the score {row['metric'].replace('_', ' ')} "
    told += f"correlate with r = {_r(row['pearson_r'])}"
    if pd.isna(row["fisher_low"]):
        return Sentence(f"{told}; these are too few for an interval: {INCONCLUSIVE}.", INCONCLUSIVE)
    told += f" (95 % interval {_r(row['fisher_low'])} to {_r(row['fisher_high'])})"
    apart = ((rows["fisher_low"] > 0) | (rows["fisher_high"] < 0)).sum()
    others = (
        f" Of all {len(rows)} scores, {apart} {'has' if apart == 1 else 'have'} an interval without zero."
    )
    if row["fisher_low"] <= 0 <= row["fisher_high"]:
        found = _of_chance(row)
        return Sentence(f"{told}: {INCONCLUSIVE}, as the interval holds zero.{others}{found}", INCONCLUSIVE)
    verdict = "positive" if row["fisher_low"] > 0 else "negative"
    return Sentence(f"{told}: {verdict}.{others}", verdict)


def _of_chance(row):
    """Tell what so few networks can show: *not found* is not *absent*."""
    if pd.isna(row["power_half"]):
        return ""
    half = 100 * row["power_half"]
    return (
        f" A study of {row['n']:.0f} networks would miss a true correlation of 0.5 {100 - half:.0f} times in "
        f"100; only one of {row['r_detectable']:.2f} or more is found 80 times in 100."
    )


def _r(value):
    return f"{value:.2f}".replace("-", "−")
