"""Correlations of few points: exact permutations, intervals, power, evidence, many tests at once."""

from texalign.lazy import face

_FACE = {
    "permutation_p": "permutation",
    "within_families_p": "permutation",
    "bootstrap_interval": "correlation",
    "detectable_r": "correlation",
    "power": "correlation",
    "bayes_factor": "correlation",
    "leave_out": "correlation",
    "specification_curve": "curve",
    "holm": "multiple",
    "benjamini_hochberg": "multiple",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
