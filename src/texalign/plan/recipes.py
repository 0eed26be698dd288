"""What results come from, as one hash a result: a parameter of each rule behind the Gram matrices.

A job that is run again loses its old output first. When it then fails, snakemake finds what was made
from that output still there, and takes the missing file for one that nobody needs: so each result has
to know by itself that it is out of date.
"""

import hashlib
import json

from texalign.plan import networks

#: Scripts in the order in which the study's numbers pass through them, with the keys of the config that
#: each adds.
STAGES = {
    "decode_images": ("dataset", "image"),
    "compute_gram": ("precision", "convolutions"),
    "compute_rdm": (),
    "grow_trees": ("clustering",),
    "measure_information": ("mutual_information",),
}


def digest(value):
    """16 hexadecimal digits for plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def origin(config, models, names, listing, stage, code):
    """Hash of all that some networks' numbers come from before a stage.

    Parameters
    ----------
    config : dict
    models : dict of str to dict
    names : sequence of str
        Networks.
    listing : str or None
        Hash of a folder's images: see `texalign.plan.dataset.fingerprint`.
    stage : str
        A key of `STAGES`, or what comes after all of them.
    code : callable
        From a script's name to the hash of its program.
    """
    order = list(STAGES)
    earlier = order[: order.index(stage)] if stage in STAGES else order
    keys = {key: config[key] for script in earlier for key in STAGES[script]}
    entries = [networks.recipe(models[name]) for name in names]
    return digest([entries, listing, keys, [code(script) for script in earlier]])
