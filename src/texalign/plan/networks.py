"""The networks of a study: what their rows in the model table mean for the plan."""

import difflib
from pathlib import Path

from texalign import weights
from texalign.errors import InputError
from texalign.plan.code import digest_of_builder

#: What a network's numbers depend on: not its label, nor its family.
RECIPE = (
    *("architecture", "channels", "layers", "lock", "options", "prefix_tokens", "preprocess"),
    *("seed", "sha256", "state_key", "strip_prefix", "weights"),
)


def check(models, config, tables, where):
    """Stop when a study names a network, or a file of weights, that does not exist.

    Parameters
    ----------
    models : dict of str to dict
        The model table.
    config : dict
    tables : str
        What the model table is called in errors.
    where : str
        What the config is called in errors.
    """
    for network, entry in models.items():
        if entry["weights"].lower() == "untrained" != entry["weights"]:
            raise InputError(
                f"{tables}: {network}: weights: {entry['weights']!r} is unknown; write untrained"
            )
        if weights.is_on_hub(entry["weights"]):
            try:
                weights.hub_url(entry["weights"])
            except InputError as error:
                raise InputError(f"{tables}: {network}: {error}") from error
        depth = entry["layers"].get("depth", []) if isinstance(entry["layers"], dict) else []
        if depth != sorted(depth):
            raise InputError(f"{tables}: {network}: layers: depth: {depth} is not ascending; sort it")
    for key in ("networks", "controls"):
        for network in config[key]:
            check_known(models, network, tables, f"{where}: {key}")
            file = weights.own_file(models[network]["weights"])
            if file and not Path(file).is_file():
                raise InputError(
                    f"{tables}: {network}: weights: {file}: no such file; put it there, or correct the path"
                )
    repeated = sorted(set(config["networks"]) & set(config["controls"]))
    if repeated:
        raise InputError(f"{where}: {', '.join(repeated)} is in networks and in controls; keep one of them")


def with_controls(models, config):
    """Make the controls that ``controls: untrained_all`` asks for: each network of the study, untrained.

    Parameters
    ----------
    models, config : dict

    Returns
    -------
    models : dict
        With an entry ``<network>_untrained`` for each trained network, where there is none.
    controls : list of str
    """
    if config["controls"] != "untrained_all":
        return models, config["controls"]
    trained = [name for name in config["networks"] if name in models]
    trained = [name for name in trained if models[name]["weights"] != "untrained"]
    own = ("lock", "sha256", "state_key", "strip_prefix")
    made = {
        f"{name}_untrained": {key: value for key, value in models[name].items() if key not in own}
        | {"weights": "untrained"}
        for name in trained
    }
    return {name: (made | models)[name] for name in sorted(made | models)}, list(made)


def unasked_controls(overlays, config):
    """Word that controls come with a study that names its own networks, and nowhere asks for controls.

    Parameters
    ----------
    overlays : list of dict
        What the user's own config files hold.
    config : dict
        All of it together.

    Returns
    -------
    str or None
    """
    own = any("networks" in overlay for overlay in overlays)
    if not own or not config["controls"] or any("controls" in overlay for overlay in overlays):
        return None
    return (
        f"{', '.join(config['controls'])} is measured too, as a control for comparison; "
        "write controls: [] to leave it out"
    )


def check_known(models, network, tables, where):
    """Stop when the model table does not have a network."""
    if network not in models:
        near = difflib.get_close_matches(network, models, n=3, cutoff=0.4) or list(models)
        raise InputError(f"{where}: {network!r} is not in {tables}; nearest: {', '.join(near)}")


def recipe(entry):
    """All of an entry that a network's numbers depend on, with its program where that is one's own."""
    kept = {key: entry[key] for key in RECIPE if key in entry}
    program = digest_of_builder(entry["architecture"])
    return kept | {"program": program} if program else kept


def published(entry):
    """Keep what tells which file of weights to fetch: a change of layers fetches nothing."""
    return {key: entry[key] for key in ("architecture", "lock", "sha256", "weights") if key in entry}


def layers(entry):
    """Names of the layers: L1, L2, ... Which modules are chosen by depth, the network's own job finds out.

    Examples
    --------
    >>> layers({"layers": ["bn1"]}), layers({"layers": {"count": 2}}), layers({"layers": {"depth": [0.5]}})
    (['L1'], ['L1', 'L2'], ['L1'])
    """
    layers = entry["layers"]
    count = len(layers.get("depth", ())) or layers["count"] if isinstance(layers, dict) else len(layers)
    return [f"L{i}" for i in range(1, count + 1)]


def names(models, networks):
    """Label, family and weights of networks, for tables and figures."""
    return {
        network: {key: models[network][key] for key in ("label", "family", "weights")} for network in networks
    }
