"""YAML files and JSON schemas, by the packages that snakemake itself brings."""

import math
import re

from texalign.errors import InputError
from texalign.plan.config import canonical, complaint, read_numbers

#: Bounds of what a file may hold once its anchors are followed: none that a person writes comes near.
DEPTH, PARTS = 50, 1_000_000


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
    return _load(path, name or path, texts=True) or {}


def check_yaml(path):
    """Refuse a config file, YAML or JSON, that is no mapping or in which a key stands twice.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        What it holds, as YAML reads it: an unquoted ``on`` is a truth value.
    """
    content = _load(path, path, texts=False)
    if not isinstance(content, dict):
        raise InputError(f"{path}: is no mapping; write one `key: value` a line")
    return content


def check_given(arguments, options=()):
    """Refuse what the command line says twice: of each, snakemake drops all but the last without a word.

    Parameters
    ----------
    arguments : list of str
        What stands behind ``--config``: ``key=value``.
    options : list of str
        The whole command line.
    """
    for names in ({"--config", "-C"}, {"--configfile", "--configfiles"}):
        if sum(option.partition("=")[0] in names for option in options) > 1:
            kind = "key=value" if "-C" in names else "file"
            raise InputError(f"{min(names)} is given twice; write it once, and every {kind} behind it")
    known = set()
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in known:
            raise InputError(f"--config: the key {key} stands twice; keep one of them")
        known.add(key)
        try:
            _parsed(value, f"--config {key}", texts=False)
        except InputError as error:
            if error.__cause__ is None:  # else it is no YAML, but a text
                raise


def _load(path, name, texts):
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{name}: is not UTF-8 text (byte 0x{byte:02x}); save it as UTF-8") from error
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read as YAML ({error.strerror.lower()}); correct the path of the file"
        ) from error
    return _parsed(text, name, texts)


def _parsed(text, name, texts):
    import yaml

    # In C where it can be: a table of 1,000 networks is read again by every cluster job.
    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = kind(text)
        try:
            node = loader.get_single_node()
            _check_extent(node, name)
            for mapping in _mappings(node):
                _check_keys_of(mapping, name, texts)
            return loader.construct_document(node) if node else None
        finally:
            loader.dispose()
    except InputError:
        raise
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = re.sub(r'in "<\w+ string>", ', "in ", " ".join(str(error).split()))
        raise InputError(
            f"{name}: cannot be read as YAML ({reason}); correct it, or its name in the config"
        ) from error


def _check_extent(root, name):
    """Refuse anchors that hold themselves, and what is nested, or grows by its anchors, without end."""
    import yaml

    parts = {}  # of each node, once it is counted; None as long as it is open

    def count(node, depth):
        if parts.setdefault(id(node), 0) is None or depth > DEPTH:
            raise InputError(
                f"{name}: line {node.start_mark.line + 1}: is nested more than {DEPTH} deep, or in itself"
            )
        if not parts[id(node)]:
            parts[id(node)] = None
            inner = node.value if isinstance(node, yaml.CollectionNode) else ()
            pairs = isinstance(node, yaml.MappingNode)
            inner = [part for pair in inner for part in pair] if pairs else inner
            parts[id(node)] = 1 + sum(count(part, depth + 1) for part in inner)
            if parts[id(node)] > PARTS:
                raise InputError(f"{name}: holds more than {PARTS} values once its anchors are followed")
        return parts[id(node)]

    if root is not None:
        count(root, 0)


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
        # However it is read: true and "true" are two keys to YAML, and one to who wrote them.
        line, known = key.start_mark.line + 1, str(key.value)
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
