"""The library's version, for what it writes; a checkout that is not installed knows it too."""

__version__ = "0.1.0"
