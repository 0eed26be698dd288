"""Names on their way through a report: snakemake puts a rule's params into a script as they are.

Standard library only.
"""

import html


def escape(value):
    """Escape every text in plain values, so that none can end the report's script.

    Examples
    --------
    >>> escape({"a": ["x < y", 1]})
    {'a': ['x &lt; y', 1]}
    """
    return _each(html.escape, value)


def unescape(value):
    """Undo `escape`; takes snakemake's named lists too."""
    return _each(html.unescape, value)


def _each(change, value):
    if isinstance(value, dict):
        return {change(key): _each(change, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(change, item) for item in value]
    return change(value) if isinstance(value, str) else value
