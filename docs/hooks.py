"""Hooks of mkdocs: see `hooks:` in mkdocs.yml."""

from griffe._internal.docstrings import numpy


def on_startup(command, dirty):
    """Show the types of docstrings as they are written: `array, shape (n, m)` is prose, not Python."""
    numpy.parse_docstring_annotation = lambda annotation, *args, **kwargs: annotation
