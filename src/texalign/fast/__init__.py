"""The same numbers sooner: folded BatchNorm, Winograd's convolutions, less precision.

`texalign.fast.prepare` does all of it.
"""

from texalign.lazy import face

_FACE = {
    "fold_batchnorm": "fold",
    "speed_up": "winograd",
    "computing_in": "precision",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
