"""Variants: named sets of choices, and the grid of all of them; where their files lie."""

import itertools

from texalign.errors import InputError
from texalign.plan import dataset, paths

#: Choices that a variant may make, in the order in which they are named.
AXES = ("readout", "normalisation", "bn_warmup", "representation", "clustering", "k", "estimator", "join")


def own(config):
    """Collect the choices of the study itself.

    Returns
    -------
    dict
        A value for each of `AXES`; ``k`` is None, as many clusters as classes.
    """
    return {
        "readout": config["readout"],
        "normalisation": config["normalisation"],
        "bn_warmup": config["bn_warmup"],
        "representation": config["representation"],
        "clustering": config["clustering"]["on"],
        "k": None,
        "estimator": config["mutual_information"]["estimator"],
        "join": config["join"],
    }


def named(config):
    """Choices of each named variant; what it does not say is as in the study.

    Returns
    -------
    dict of str to dict
    """
    return {name: own(config) | variant for name, variant in config["variants"].items()}


def grid(config):
    """All combinations of the values that the multiverse has; an axis without values is as in the study.

    Returns
    -------
    list of dict
        Empty where the config has no multiverse.
    """
    values = {axis: config["multiverse"][axis] for axis in AXES if config["multiverse"][axis] is not None}
    if not values:
        return []
    return [
        own(config) | dict(zip(values, combination, strict=True))
        for combination in itertools.product(*values.values())
    ]


def specifications(config):
    """List the named variants, the study's own choices and the grid, each set of choices once.

    Returns
    -------
    dict of str to dict
        Name to choices; the study's own are called ``study`` where no variant is the same, those of the grid
        by their values. Empty where there is nothing but the study.
    """
    sets = [
        *named(config).items(),
        ("study", own(config)),
        *((name_of(choices), choices) for choices in grid(config)),
    ]
    found = {}
    for name, choices in sets if len(sets) > 1 else []:
        if choices not in found.values():
            found[name] = choices
    return found


def name_of(choices):
    """Name a set of choices by its values.

    Examples
    --------
    >>> name_of({"readout": "relu", "clustering": "cosine", "k": 20, "bn_warmup": None, "join": "key"})
    'relu cosine k20 key'
    """
    words = []
    for axis in AXES:
        value = choices.get(axis)
        if value is not None:
            words.append({"k": f"k{value}", "bn_warmup": f"warm{value}"}.get(axis, str(value)))
    return " ".join(words)


def coordinates(choices):
    """Where the files of a set of choices lie: see `texalign.plan.paths.coordinates`."""
    return {
        "maps": paths.maps(choices),
        "representation": choices["representation"],
        "clustering": choices["clustering"],
        "estimator": choices["estimator"],
    }


def check(config, where):
    """Stop where a variant asks for more clusters than are followed, or has the name of the study itself."""
    if "study" in config["variants"]:
        raise InputError(f"{where}: variants: study is the name of the study's own choices; use another")
    most = min(config["mutual_information"]["largest_k"], dataset.count(config["dataset"]))
    asked = [(f"variants: {name}: k", choices["k"]) for name, choices in named(config).items()]
    asked += [("multiverse: k", k) for k in config["multiverse"]["k"] or []]
    for key, k in asked:
        if k is not None and k > most:
            raise InputError(
                f"{where}: {key}: {k} clusters are not followed; use 2 ... {most}, or raise "
                "mutual_information.largest_k"
            )
