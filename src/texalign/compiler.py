"""torch's compiler, which texalign never calls, kept from being imported, as that takes as long as torch."""

import contextlib
import importlib
import sys
import types


@contextlib.contextmanager
def left_out():
    """Keep what runs inside a ``with`` block from importing ``torch._dynamo``.

    Two things import it in passing: ``import torchvision``, for a question that one function of its detection
    networks asks when it is called, and operations on the meta device, whose shapes torch finds by functions
    that the compiler is told to leave alone. Whoever asks for more inside the block gets the compiler.
    """
    name = "torch._dynamo"
    if name in sys.modules:
        yield
        return
    package, inside = types.ModuleType(name), types.ModuleType(f"{name}.utils")

    def ask(module, attribute):
        """Import the compiler after all; but not for what Python's imports look for in any module."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        for stand_in in (package, inside):
            if sys.modules.get(stand_in.__name__) is stand_in:
                del sys.modules[stand_in.__name__]
        return getattr(importlib.import_module(module.__name__), attribute)

    package.utils = inside
    package.disable = lambda function=None, *_, **__: function or (lambda decorated: decorated)
    package.__getattr__ = lambda attribute: ask(package, attribute)
    inside.is_compile_supported = lambda *args: ask(inside, "is_compile_supported")(*args)
    inside.__getattr__ = lambda attribute: ask(inside, attribute)
    stand_ins = {module.__name__: module for module in (package, inside)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for key, module in stand_ins.items():
            if sys.modules.get(key) is module:
                del sys.modules[key]
