"""A config and a model table as the user wrote them → checked, whole, and in one order.

Snakemake compares a rule's params by their text, so that they must not hang on the order of the keys
in a file: `canonical` sorts them and fills in what the schema has as defaults.
"""

import copy
import difflib

from texalign.errors import InputError


def canonical(data, schema):
    """Fill in a schema's defaults, and sort the keys of every mapping.

    Parameters
    ----------
    data : dict
        Valid under `schema`; left alone.
    schema : dict

    Returns
    -------
    dict
    """
    filled = copy.deepcopy(data)
    fill_defaults(filled, schema)
    return _sorted(filled)


def fill_defaults(data, schema):
    """Set what a schema has defaults for and `data` has not, in place."""
    for key, part in schema.get("properties", {}).items():
        if "default" in part:
            data.setdefault(key, copy.deepcopy(part["default"]))
        if isinstance(data.get(key), dict):
            fill_defaults(data[key], part)
    if isinstance(schema.get("additionalProperties"), dict):
        for entry in data.values():
            fill_defaults(entry, schema["additionalProperties"])


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def quoted_on(config, default="gram"):
    """Undo what YAML makes of an unquoted ``on``: true. Where both spellings meet, one is the default.

    Returns
    -------
    dict
        The same config, or a copy in which ``clustering`` has the key ``on``.
    """
    clustering = config.get("clustering")
    if not (isinstance(clustering, dict) and True in clustering):
        return config
    clustering = dict(clustering)
    unquoted = clustering.pop(True)
    if clustering.get("on", default) == default:
        clustering["on"] = unquoted
    return {**config, "clustering": clustering}


def complaint(error):
    """Word what a JSON schema found, with what is allowed instead.

    Parameters
    ----------
    error : jsonschema.ValidationError
    """
    if error.validator == "additionalProperties":
        keys = error.schema["properties"]
        unknown = [key for key in error.instance if key not in keys]
        near = difflib.get_close_matches(str(unknown[0]), keys, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"unknown key {', '.join(map(repr, unknown))}; allowed: {', '.join(keys)}{hint}"
    about = error.schema.get("description") if isinstance(error.schema, dict) else None
    return f"{error.message}; expected: {about}" if about else error.message


def merge_tables(tables):
    """Join model tables: later ones add entries, and override single keys of earlier ones.

    Parameters
    ----------
    tables : dict of str to dict
        Name of the table, for errors, to its content.

    Returns
    -------
    dict of str to dict
        Network to entry, sorted by network.
    """
    entries = {}
    for name, table in tables.items():
        for network, entry in _mapping(table, name).items():
            merged = entries.get(network, {}) | _mapping(entry or {}, f"{name}: {network}")
            entries[network] = merged
    return {network: entries[network] for network in sorted(entries, key=str)}


def _mapping(value, where):
    if isinstance(value, dict):
        return value
    raise InputError(f"{where}: {value!r} is no mapping; write one `key: value` a line")
