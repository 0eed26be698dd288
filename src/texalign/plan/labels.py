"""What networks are called for people: apart from the plan, so that its changes draw nothing again."""

from collections import Counter


def label(entry):
    """Name a network for people; an untrained one says so."""
    untrained = entry["weights"] == "untrained" and "untrained" not in entry["label"].lower()
    return f"{entry['label']} (untrained)" if untrained else entry["label"]


def labels(entries):
    """Name networks for people; where two have one label, each has its key behind it.

    Parameters
    ----------
    entries : dict of str to dict
        From network to its label and weights.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> twins = {"a": {"label": "ResNet", "weights": "untrained"}, "b": {"label": "ResNet", "weights": "x"}}
    >>> labels(twins | {"c": {"label": "ResNet", "weights": "y"}})
    {'a': 'ResNet (untrained)', 'b': 'ResNet (b)', 'c': 'ResNet (c)'}
    """
    shown = {network: " ".join(label(entry).split()) or network for network, entry in entries.items()}
    count = Counter(shown.values())
    return {network: name if count[name] == 1 else f"{name} ({network})" for network, name in shown.items()}
