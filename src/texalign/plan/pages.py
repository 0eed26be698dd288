"""The report's further pages: which tables and figures of a study they show, as far as these were made."""

import re
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_BRACES = re.compile(r"\{\{(.*?)\}\}")


class Part(NamedTuple):
    """A part of a page.

    Attributes
    ----------
    title : str
    figures : dict of str to str
        Patterns of files below the study's folder, in the order in which they are shown, to the caption of
        each in the workflow's folder ``report``.
    tables : tuple of str
        Patterns as well.
    section : str
        Heading of the page of the documentation that explains its columns.
    """

    title: str
    figures: dict = MappingProxyType({})
    tables: tuple = ()
    section: str = ""


#: Page → its title, the target that makes what it shows, and its parts.
PAGES = {
    "statistics": (
        "Statistics",
        "all",
        (
            Part("More or fewer clusters", {"figures/information_by_k.png": "by_k"}),
            Part("Halves of the textures", {}, ("information_of_halves.csv",), "Information"),
            Part("Which classes are recovered", {"figures/classes.png": "classes"}),
            Part("How alike the networks' distances are", {"figures/second_order.png": "second_order"}),
            Part(
                "Correlation with scores",
                {"figures/brainscore.png": "brainscore", "figures/correlation_by_layer.png": "correlation"},
                ("brainscore_uncertainty.csv",),
                "Correlation with scores",
            ),
            Part(
                "Published against ours",
                {"figures/published.png": "published"},
                ("published.csv",),
                "Correlation with scores",
            ),
        ),
    ),
    "decoding": (
        "Decoding",
        "decoding",
        (
            Part(
                "What could be read out", {"figures/decoding.png": "decoding"}, ("decoding.csv",), "Decoding"
            ),
        ),
    ),
    "variants": (
        "Variants",
        "multiverse",
        (
            Part(
                "All choices at once",
                {"figures/multiverse.png": "multiverse"},
                ("multiverse/null.csv", "multiverse/choices.csv"),
                "Variants",
            ),
            Part(
                "Other representations",
                {"figures/representations.png": "representations"},
                ("representations.csv",),
                "Representations",
            ),
            Part("Named variants", {"variants/*/figures/*.png": "variant"}),
        ),
    ),
    "people": (
        "People",
        "human",
        (
            Part(
                "Agreement with people",
                {"figures/human.png": "human"},
                ("human.csv", "human_correlation.csv", "human_references.csv"),
                "How far a network agrees with them",
            ),
        ),
    ),
    "synthesis": (
        "Synthesis",
        "synthesis",
        (
            Part("Originals and syntheses", {"figures/synthesis/seed*.png": "synthesis"}),
            Part("From the first layer to all", {"figures/synthesis/series/*.png": "series"}),
            Part("Generators while they learn", {"synthesis/*/*/*/*/trained*.png": ""}),
            Part("Textures on other images", {"figures/synthesis/transfer/*.png": "transfer"}),
            Part("Between two textures", {"blends/*/*/*/seed*.png": "blend"}),
            Part("Loss curves", {"figures/synthesis/loss.png": "loss"}),
            Part(
                "Scores",
                {"figures/synthesis/scores.png": "scores"},
                ("synthesis/scores.csv",),
                "What the numbers mean",
            ),
        ),
    ),
}


def found(folder):
    """List what there is for each page.

    Parameters
    ----------
    folder : str or Path
        The study's.

    Returns
    -------
    dict of str to list of dict
        Page to its parts that have something: ``title``, ``section``, ``figures`` and ``tables``, the paths
        of files below the folder, and ``captions``, one a figure. A page that has nothing is left out.
    """
    pages = {}
    for page, (_, _, parts) in PAGES.items():
        shown = [
            {
                "title": part.title,
                "section": part.section,
                "figures": _files(folder, part.figures),
                "captions": [
                    name for pattern, name in part.figures.items() for _ in _files(folder, [pattern])
                ],
                "tables": _files(folder, part.tables),
            }
            for part in parts
        ]
        if shown := [part for part in shown if part["figures"] or part["tables"]]:
            pages[page] = shown
    return pages


def absent(folder):
    """Titles of the pages for which there is nothing, and the target that makes it."""
    there = found(folder)
    return {title: target for page, (title, target, _) in PAGES.items() if page not in there}


def captions():
    """Names of all captions."""
    names = {name for _, _, parts in PAGES.values() for part in parts for name in part.figures.values()}
    return sorted(filter(None, names))


def caption(text, config):
    """Turn a caption of snakemake's report into plain text.

    Parameters
    ----------
    text : str
        In reStructuredText, as far as captions use it, with Jinja's braces.
    config : dict
        The study's.

    Returns
    -------
    str
        Without bold words and literals. What is particular to one figure of several stays open.
    """
    filled = _BRACES.sub(lambda match: _of_config(match[1], config), text)
    return " ".join(filled.replace("**", "").replace("``", "").replace("*", "").split())


def _of_config(expression, config):
    value = config
    for key in re.findall(r'\["(\w+)"\]', expression):
        value = value[key]
    return "…" if value is config else str(value)


def files(folder):
    """All files that `found` lists, with their folder."""
    return [
        f"{folder}/{file}"
        for parts in found(folder).values()
        for part in parts
        for file in (*part["figures"], *part["tables"])
    ]


def _files(folder, patterns):
    paths = [path for pattern in patterns for path in sorted(Path(folder).glob(pattern))]
    return [path.relative_to(folder).as_posix() for path in paths]
