"""The same numbers sooner: folded BatchNorm, Winograd's convolutions, less precision."""

from texalign.lazy import face

_FACE = {
    "fold_batchnorm": "fold",
    "speed_up": "winograd",
    "set_precision": "precision",
    "precision": "precision",
    "prepare": "prepare",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
