"""A config and a model table as the user wrote them → checked, whole, and in one order.

Snakemake compares a rule's params by their text, so that they must not hang on the order of the keys
in a file: `canonical` sorts them and fills in what the schema has as defaults.
"""

import contextlib
import copy
import difflib
import math

from texalign.errors import InputError

#: What YAML reads for these words.
WORDS = {"true": True, "false": False, "null": None, "none": None}


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


def read_numbers(value, schema, valid):
    """Turn texts into the numbers, truth values or nothing that they spell, where a schema has no texts.

    Inside of what ``--config`` gives, snakemake leaves every number a text; and YAML takes 1e-3 for one.

    Parameters
    ----------
    value : object
    schema : dict
    valid : callable
        ``valid(value, schema)`` tells whether a value is allowed.

    Returns
    -------
    object
        A copy; what cannot be read so stays as it is.

    Examples
    --------
    >>> def integer(value, schema):
    ...     return isinstance(value, int) == (schema == {"type": "integer"})
    >>> read_numbers("12", {"type": "integer"}, integer), read_numbers("12", {"type": "string"}, integer)
    (12, '12')
    """
    if isinstance(value, dict) and (parts := _parts(value, schema)):
        return value | {key: read_numbers(value[key], part, valid) for key, part in parts.items()}
    if valid(value, schema):
        return value
    read = _spelled(value)
    return read if valid(read, schema) else value


def _parts(value, schema):
    """Find what a schema says of the keys that a mapping has."""
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    parts = {key: known.get(key, others) for key in value}
    return {key: part for key, part in parts.items() if isinstance(part, dict)}


def _spelled(value):
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if not isinstance(value, str):
        return value
    if value.lower() in WORDS:
        return WORDS[value.lower()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(value)
    return value


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
    advice = _advice(error)
    expected = f"expected: {about.rstrip('.') if advice else about}" if about else None
    return "; ".join(filter(None, [error.message, expected, advice]))


def _advice(error):
    """Say how to write a value that is a number where a text is due, or no whole or finite number."""
    value = error.instance
    wanted = error.validator_value if error.validator == "type" else ()
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(value, int | float) or not wanted:
        return ""
    if "string" in wanted:
        return f'write it in quotes, "{value}"'
    if "integer" in wanted and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    return "" if isinstance(value, bool) or math.isfinite(value) else "write a finite number"


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
