"""Texture losses: what an exemplar's feature maps are reduced to, and how far an image is from it.

One module a loss, which is loaded when the loss is asked for. `common` says what a loss is.
"""

import importlib
from dataclasses import fields

from texalign.errors import InputError

#: The registry: a name in the config → a loss, in the module of that name.
LOSSES = {
    "paper": "Paper",
    "gatys": "Gatys",
    "sliced_wasserstein": "SlicedWasserstein",
    "mean_std": "MeanStd",
    "shifted_gram": "ShiftedGram",
}


def get(loss, /, **options):
    """Find a loss by its name; one that was made already is returned as it is.

    Raises
    ------
    InputError
        There is no such loss, or it has no such option; those it has are given.
    """
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise InputError(f"loss: {loss!r} is unknown; allowed: {', '.join(LOSSES)}")
    kind = getattr(importlib.import_module(f"{__name__}.{loss}"), LOSSES[loss])
    allowed = [option.name for option in fields(kind)]
    for option in options:
        if option not in allowed:
            raise InputError(f"loss: {loss} has no option {option!r}; allowed: {', '.join(allowed)}")
    return kind(**options)
