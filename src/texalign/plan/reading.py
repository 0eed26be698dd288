"""YAML files and JSON schemas, by the packages that snakemake itself brings."""

import math

from texalign.errors import InputError
from texalign.plan.config import canonical, complaint, read_numbers


def read_yaml(path, name=None):
    """Read a YAML file, in which every key is a text and stands once in its mapping.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        What to call it in errors.

    Raises
    ------
    InputError
        One line: the file is missing, is not UTF-8 or no YAML, or a key stands twice or is read as a
        number, a truth value or a date.
    """
    return _load(path, name or path, texts=True)


def check_yaml(path):
    """Refuse a config file, YAML or JSON, in which a key stands twice.

    Parameters
    ----------
    path : str or Path
    """
    _load(path, path, texts=False)


def _load(path, name, texts):
    import yaml

    # In C where it can be: a table of 1,000 networks is read again by every cluster job.
    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with open(path, encoding="utf-8") as handle:
            loader = kind(handle.read())
        try:
            node = loader.get_single_node()
            for mapping in _mappings(node):
                _check_keys_of(mapping, name, texts)
            return (loader.construct_document(node) if node else None) or {}
        finally:
            loader.dispose()
    except InputError:
        raise
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{name}: is not UTF-8 text (byte 0x{byte:02x}); save it as UTF-8") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{name}: cannot be read as YAML ({reason}); correct it, or its name in the config"
        ) from error


def _mappings(root):
    """All mappings of a parsed file; an anchor's once, however often it is named."""
    import yaml

    nodes, seen = [root], set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.CollectionNode) and id(node) not in seen:
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode):
                yield node
                nodes += [part for pair in node.value for part in pair]
            else:
                nodes += node.value


def _check_keys_of(mapping, name, texts):
    """Refuse a key that stands twice, and, where they have to be texts, one that is none."""
    lines = {}
    for key, _ in mapping.value:
        line, known = key.start_mark.line + 1, (key.tag, str(key.value))
        if known in lines:
            raise InputError(
                f"{name}: line {line}: the key {key.value} stands twice, first in line {lines[known]}; "
                "keep one of them"
            )
        lines[known] = line
        if texts and key.tag.rpartition(":")[2] not in ("str", "merge"):
            raise InputError(
                f"{name}: line {line}: the key {key.value} is not read as a text; "
                f'write it in quotes, "{key.value}"'
            )


def checked(data, schema, where):
    """Hold data against a schema, and return it whole and in order.

    Parameters
    ----------
    data : dict
        A number in quotes is taken where the schema has no text: so it comes from the command line.
    schema : str or Path
        The schema's file.
    where : str
        What the data are called in errors.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        One line that names file, key and value, and what is allowed.
    """
    from jsonschema.exceptions import best_match

    allowed = read_yaml(schema)
    validator = _validator(allowed)
    _check_keys(data, where)
    if not validator.is_valid(data):
        data = read_numbers(data, allowed, lambda value, part: validator.evolve(schema=part).is_valid(value))
    if error := best_match(validator.iter_errors(data)):
        key = "".join(f"{part}: " for part in error.absolute_path)
        raise InputError(f"{where}: {key}{complaint(error)}")
    return canonical(data, allowed)


def _validator(schema):
    """Make a validator for which 6.0 is no whole number, and neither infinity nor NaN is a number."""
    from jsonschema import Draft202012Validator, validators

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: (
                isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            ),
        }
    )
    return validators.extend(Draft202012Validator, type_checker=types)(schema)


def _check_keys(value, where):
    """Refuse keys that YAML has read as numbers, truth values, dates or nothing."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{where}: the key {key} is not a text; write it in quotes")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_keys(part, where)
