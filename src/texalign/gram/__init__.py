"""Feature maps → Gram matrices: their algebra, and the pass of all images through a network."""

from texalign.lazy import face

_FACE = {
    "gram_matrices": "algebra",
    "channel_means": "algebra",
    "n_packed": "packing",
    "pack": "packing",
    "unpack": "packing",
    "packed_gram_matrices": "algebra",
    "compute": "extract",
    "one_batch": "extract",
    "batch_size": "extract",
    "relative_errors": "extract",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
