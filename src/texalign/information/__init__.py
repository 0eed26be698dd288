"""Clusters and classes → bits."""

from texalign.lazy import face

_FACE = {
    "plugin_entropy": "nsb",
    "nsb_entropy": "nsb",
    "MutualInformation": "mutual",
    "mutual_information": "mutual",
    "null_information": "mutual",
    "Interval": "interval",
    "adjusted_mutual_information": "agreement",
    "recovered": "classes",
    "confusions": "classes",
    "typicality": "classes",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
