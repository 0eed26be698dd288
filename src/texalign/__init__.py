"""How vision networks represent textures, and whether that is how people see them.

Plain functions on arrays and tensors; the library knows neither snakemake nor the config. What is
listed in `__all__` is its public face, loaded when it is first used.
"""

import importlib

from texalign.errors import InputError
from texalign.version import __version__

#: Where the names of the public face lie.
_FACE = {
    "textures": "texalign.images.textures",
    "exemplars": "texalign.images.exemplars",
    "networks": "texalign.networks",
    "readout": "texalign.readout",
    "gram": "texalign.gram",
    "geometry": "texalign.geometry",
    "information": "texalign.information",
    "statistics": "texalign.statistics",
    "decoding": "texalign.decoding",
    "human": "texalign.human",
    "alignment": "texalign.alignment",
    "synthesis": "texalign.synthesis",
    "figures": "texalign.figures",
    "store": "texalign.store",
    "tables": "texalign.tables",
}

__all__ = ["InputError", "__version__", *_FACE]


def __getattr__(name):
    if name not in _FACE:
        raise AttributeError(f"module 'texalign' has no attribute {name!r}")
    return importlib.import_module(_FACE[name])


def __dir__():
    return __all__
