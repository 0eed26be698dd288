import copy
import difflib
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

# What is wrong with a config or a model table is said here, in one line, before any job runs.


def read_yaml(path):
    try:
        with open(path) as handle:
            # In C where it can be: a table of 1,000 networks is read again by every cluster job.
            return yaml.load(handle, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except (OSError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise WorkflowError(
            f"{path}: cannot be read as YAML ({reason}); correct it, or its name in the config"
        )


def check(data, schema, where):
    """Stop with one line that names file, key and value, or fill in the schema's defaults."""
    allowed = read_yaml(CHECKOUT / f"workflow/schemas/{schema}.schema.yaml")
    error = best_match(Draft202012Validator(allowed).iter_errors(data))
    if error:
        key = "".join(f"{part}: " for part in error.absolute_path)
        raise WorkflowError(f"{where}: {key}{complaint(error)}")
    fill_defaults(data, allowed)


def complaint(error):
    """What jsonschema found, with what is allowed instead."""
    if error.validator == "additionalProperties":
        keys = error.schema["properties"]
        unknown = [key for key in error.instance if key not in keys]
        near = difflib.get_close_matches(str(unknown[0]), keys, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"unknown key {', '.join(map(repr, unknown))}; allowed: {', '.join(keys)}{hint}"
    about = error.schema.get("description") if isinstance(error.schema, dict) else None
    return f"{error.message}; expected: {about}" if about else error.message


def fill_defaults(data, schema):
    for key, part in schema.get("properties", {}).items():
        if "default" in part:
            data.setdefault(key, copy.deepcopy(part["default"]))
        if isinstance(data.get(key), dict):
            fill_defaults(data[key], part)
    if isinstance(schema.get("additionalProperties"), dict):
        for entry in data.values():
            fill_defaults(entry, schema["additionalProperties"])


def from_checkout(path, key):
    """A path of the user's, relative to the working directory, or else one of this repository's."""
    if Path(path).exists():
        # Marked as local, it keeps its name where another workflow imports this one with a prefix.
        return local(str(path))
    if not (CHECKOUT / path).exists():
        raise WorkflowError(
            f"{CONFIG}: {key}: {path}: no such file; correct the path, which is relative to {Path.cwd()}"
        )
    return local(beside(CHECKOUT / path))


def tables():
    return [config["models"]] if isinstance(config["models"], str) else config["models"]


def read_models():
    """The model table: later files add entries, and override single keys of earlier ones."""
    entries = {}
    for table in tables():
        for network, entry in dict_of(read_yaml(from_checkout(table, "models")), table).items():
            entries[network] = entries.get(network, {}) | dict_of(entry or {}, f"{table}: {network}")
    check(entries, "models", ", ".join(tables()))
    for network, entry in entries.items():
        entry.setdefault("label", network)
    return entries


def dict_of(value, where):
    if isinstance(value, dict):
        return value
    raise WorkflowError(f"{where}: {value!r} is no mapping; write one `key: value` a line")
