"""Images with an exemplar's texture statistics."""

from texalign.lazy import face

_FACE = {
    "Synthesis": "matching",
    "synthesize": "matching",
    "synthesize_batch": "matching",
    "evaluate": "matching",
    "cumulative": "matching",
    "Objective": "objective",
    "Settings": "descent",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
