"""YAML files and JSON schemas, by the packages that snakemake itself brings."""

from texalign.errors import InputError
from texalign.plan.config import canonical, complaint


def read_yaml(path, name=None):
    """Read a YAML file.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        What to call it in errors.
    """
    import yaml

    # In C where it can be: a table of 1,000 networks is read again by every cluster job.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with open(path, encoding="utf-8") as handle:
            return yaml.load(handle, loader) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{name or path}: cannot be read as YAML ({reason}); correct it, or its name in the config"
        ) from error


def checked(data, schema, where):
    """Hold data against a schema, and return it whole and in order.

    Parameters
    ----------
    data : dict
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
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    allowed = read_yaml(schema)
    error = best_match(Draft202012Validator(allowed).iter_errors(data))
    if error:
        key = "".join(f"{part}: " for part in error.absolute_path)
        raise InputError(f"{where}: {key}{complaint(error)}")
    return canonical(data, allowed)
