"""Files of one's own that a study is given besides its images: they are there, and count by their content."""

from pathlib import Path

from texalign.errors import InputError


def check(config, where):
    """Stop where a file that the config names is not there.

    Parameters
    ----------
    config : dict
    where : str
        What the config is called in errors.
    """
    for key, path in files(config).items():
        if not Path(path).is_file():
            raise InputError(
                f"{where}: {key}: {path}: no such file; correct the path, which is relative to {Path.cwd()}"
            )


def files(config):
    """Dotted key of the config → path of each file of one's own."""
    found = {"decoding: labels": config["decoding"]["labels"]}
    for name, entry in config["human"]["references"].items():
        found[f"human: references: {name}: path"] = entry["path"]
    return {key: path for key, path in found.items() if path}


def digest(path, hashes):
    """SHA-256 of a file; None where there is none to be."""
    found = hashes.of(path) if path else None
    hashes.save()
    return found
