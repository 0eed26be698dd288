"""How people see the same textures: descriptions, similarities, choices; and what agrees with them."""

from texalign.lazy import face

_FACE = {
    "read_descriptions": "descriptions",
    "describe": "descriptions",
    "read_similarities": "similarities",
    "read_triplets": "triplets",
    "predicted": "triplets",
    "class_means": "agreement",
    "rank_correlation": "agreement",
    "noise_ceiling": "agreement",
}
__all__ = list(_FACE)
__getattr__, __dir__ = face(__name__, _FACE)
