"""Gram matrices → dissimilarities, Ward's trees, and the comparison of RDMs."""

from texalign.lazy import face

_FACE = {
    "condensed_length": "condensed",
    "pairs_of": "condensed",
    "square": "condensed",
    "rdm": "distances",
    "rdms": "distances",
    "clustering_distances": "ward",
    "ward_tree": "ward",
    "cut": "ward",
    "class_identity_rdm": "compare",
    "second_order": "compare",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
