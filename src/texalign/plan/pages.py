"""The report's further pages: which tables and figures of a study they show, as far as these were made."""

import re
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_BRACES, _WORD = re.compile(r"\{\{(.*?)\}\}"), re.compile(r"\{(\w+)\}")


class Part(NamedTuple):
    """A part of a page.

    Attributes
    ----------
    title : str
    figures : dict of str to str
        Files below the study's folder, in the order in which they are shown, to the caption of each in the
        workflow's folder ``report``. A word in braces stands for a name, as in `texalign.plan.paths`.
    tables : tuple of str
        Files as well.
    section : str
        Heading of the page of the documentation that explains its columns.
    about : str
        What a reader is told before the figures and tables.
    """

    title: str
    figures: dict = MappingProxyType({})
    tables: tuple = ()
    section: str = ""
    about: str = ""


#: Page → its title, the target that makes what it shows, and its parts.
PAGES = {
    "clusters": (
        "Clusters",
        "figures",
        (
            Part("What is in each cluster", {"figures/contact/{network}.png": "contact"}),
            Part("Which classes are one cluster", {"figures/clusters/{network}.png": "cluster_composition"}),
            Part("Typical images of each class", {"figures/typical/{network}.png": "typical"}),
            Part("Distances, layer by layer", {"figures/layers/{network}.png": "layers"}),
        ),
    ),
    "statistics": (
        "Statistics",
        "all",
        (
            Part("More or fewer clusters", {"figures/information_by_k.png": "by_k"}),
            Part(
                "Halves of the textures",
                {},
                ("information_of_halves.csv",),
                "Information",
                "How much a layer's information hangs on which textures were taken: halves of them, drawn at "
                "random within each class and clustered anew.",
            ),
            Part("Which classes are recovered", {"figures/classes.png": "classes"}),
            Part(
                "How alike the networks' distances are",
                {"figures/second_order.png": "second_order", "figures/map.png": "map"},
            ),
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
    "representations": (
        "Representations",
        "representations",
        (
            Part(
                "Other representations than Gram matrices",
                {"figures/representations.png": "representations"},
                ("representations.csv",),
                "Representations",
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
                "Named variants",
                {
                    "variants/{variant}/figures/mutual_information.png": "variant",
                    "variants/{variant}/figures/brainscore.png": "variant",
                },
            ),
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
            Part(
                "People, images and networks side by side",
                {"figures/references.png": "references"},
                ("references.csv", "layer_selection.csv"),
                "References side by side",
            ),
        ),
    ),
    "synthesis": (
        "Synthesis",
        "synthesis",
        (
            Part("Originals and syntheses", {"figures/synthesis/seed{seed}.png": "synthesis"}),
            Part("From the first layer to all", {"figures/synthesis/series/{network}.png": "series"}),
            Part(
                "Generators while they learn",
                {"synthesis/{texture}/{method}/{maker}/{layers}/trained{trained}.png": "trained"},
            ),
            Part(
                "Samples of generators",
                {"synthesis/{texture}/{method}/{maker}/{layers}/samples.png": "samples"},
            ),
            Part("Textures on other images", {"figures/synthesis/transfer/seed{seed}.png": "transfer"}),
            Part("Between two textures", {"blends/{blend}/{maker}/{layers}/seed{seed}.png": "blend"}),
            Part("A pack of stimuli", {"figures/synthesis/stimuli.png": "stimuli"}),
            Part("Loss curves", {"figures/synthesis/loss.png": "loss"}),
            Part("Loss over time", {"figures/synthesis/time.png": "time"}),
            Part("Generators and their judges", {"figures/synthesis/dcgan.png": "dcgan"}),
            Part(
                "Scores",
                {"figures/synthesis/scores.png": "scores"},
                ("synthesis/scores.csv",),
                "What the numbers mean",
            ),
        ),
    ),
}


def found(folder, known=MappingProxyType({})):
    """List what there is for each page.

    Parameters
    ----------
    folder : str or Path
        The study's.
    known : dict of str to collection of str, optional
        Word of a place to the names that the study has for it: files of others are left from before.

    Returns
    -------
    dict of str to list of dict
        Page to its parts that have something: ``title``, ``section``, ``about``, ``figures``, ``tables``. A
        table is a path below the folder; a figure has its ``file``, the name of its ``caption``, and the
        names in its path, ``of``. A page that has nothing is left out.
    """
    pages = {}
    for page, (_, _, parts) in PAGES.items():
        shown = [
            {
                "title": part.title,
                "section": part.section,
                "about": part.about,
                "figures": [
                    {"file": file, "caption": name, "of": names}
                    for place, name in part.figures.items()
                    for file, names in _files(folder, place, known)
                ],
                "tables": [file for place in part.tables for file, _ in _files(folder, place, known)],
            }
            for part in parts
        ]
        if shown := [part for part in shown if part["figures"] or part["tables"]]:
            pages[page] = shown
    return pages


def absent(folder, known=MappingProxyType({})):
    """Titles of the pages for which there is nothing, and the target that makes it."""
    there = found(folder, known)
    return {title: target for page, (title, target, _) in PAGES.items() if page not in there}


def captions():
    """Names of all captions."""
    return sorted(
        {name for _, _, parts in PAGES.values() for part in parts for name in part.figures.values()}
    )


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
        Without bold words and literals. The names that one figure of several has are in braces still.
    """
    filled = _BRACES.sub(lambda match: _of_config(match[1], config), text)
    return " ".join(filled.replace("**", "").replace("``", "").replace("*", "").split())


def _of_config(expression, config):
    if ".wildcards." in expression:
        return f"{{{expression.strip().rpartition('.')[2]}}}"
    value = config
    for key in re.findall(r'\["(\w+)"\]', expression):
        value = value[key]
    return str(value)


def files(folder, known=MappingProxyType({})):
    """All files that `found` lists, with their folder."""
    return [
        f"{folder}/{file}"
        for parts in found(folder, known).values()
        for part in parts
        for file in (*(figure["file"] for figure in part["figures"]), *part["tables"])
    ]


def _files(folder, place, known):
    """Files at a place, and the names in their paths, all of them known."""
    words = re.compile(_WORD.sub(r"(?P<\1>[^/]+)", re.sub(r"[.]", r"\\.", place)))
    paths = [path.relative_to(folder).as_posix() for path in sorted(Path(folder).glob(_WORD.sub("*", place)))]
    rows = [(path, words.fullmatch(path).groupdict()) for path in paths]
    return [row for row in rows if all(name in known.get(word, [name]) for word, name in row[1].items())]
