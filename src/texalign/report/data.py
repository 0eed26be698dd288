"""Data as JavaScript files: a page opened from disk may load scripts, and nothing else."""

import base64
import json
import math

import numpy as np

#: Largest code of a distance; 0 is a distance of zero.
LEVELS = 65535

#: What would end the script that it stands in, or a line of it.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def to_json(value):
    r"""Write plain values as JSON that can stand in a script, whatever its texts hold; NaN is null.

    Examples
    --------
    >>> to_json({"class": "</script>", "bits": float("nan")})
    '{"class":"\\u003c/script\\u003e","bits":null}'
    """
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone half of a surrogate pair, as from a name that is no UTF-8, cannot be written to a file.
    return text.translate(_ESCAPES).encode("utf-8", "replace").decode()


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return _finite(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def script(name, value):
    """Text of a script that puts a value under a name into the global ``texalign``."""
    return f"(window.texalign = window.texalign || {{}}).{name} = {to_json(value)};\n"


def packed(values, kind="<u2"):
    """Whole numbers as base64 of their little-endian bytes."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def scale(distances):
    """Find the ends of a logarithmic scale for distances.

    Parameters
    ----------
    distances : array
        Zero or more; NaN where there is none.

    Returns
    -------
    low, step : float
        A code c > 0 stands for ``low * exp((c - 1) * step)``.
    """
    positive = distances[distances > 0]
    if not len(positive):
        return 1.0, 0.0
    low, high = float(positive.min()), float(positive.max())
    return low, math.log(high / low) / (LEVELS - 2)


def quantise(distances, low, step):
    """Codes of distances on a logarithmic scale: the relative error is half a step, whatever the distance.

    Parameters
    ----------
    distances : array
    low, step : float
        See `scale`.

    Returns
    -------
    array of uint16
        0 for a distance of zero, `LEVELS` for NaN.
    """
    codes = np.zeros(np.shape(distances), np.uint16)
    some = np.asarray(distances) > 0
    place = np.log(np.asarray(distances, float)[some] / low) / step if step else 0.0
    codes[some] = 1 + np.clip(np.rint(place), 0, LEVELS - 2)
    codes[np.isnan(distances)] = LEVELS
    return codes


def restored(codes, low, step):
    """Distances of codes, as the page computes them."""
    values = low * np.exp((codes.astype(float) - 1) * step)
    return np.where(codes == 0, 0.0, np.where(codes == LEVELS, np.nan, values))
