"""How a room shows its functions without loading them before they are used. Imports nothing heavy."""

import importlib


def face(package, names):
    """Make the ``__getattr__`` and ``__dir__`` of a package whose names lie in its modules.

    Parameters
    ----------
    package : str
    names : dict of str to str
        Public name to the module of the package that defines it.
    """

    def find(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{names[name]}"), name)

    return find, lambda: sorted(names)
