"""Distance of synthetic images to their exemplar in the statistics of Portilla and Simoncelli.

Empty, with the reason in the log, where the optional package plenoptic is not installed.
"""

from texalign import job

job.start(snakemake)

import numpy as np
import pandas as pd

from texalign import InputError, files, portilla_simoncelli, synthesis, textures

params, paths = snakemake.params, snakemake.input.images
exemplar = synthesis.load_exemplar(snakemake.input.exemplar)
others = []
if params.dataset:
    images = textures.load_dataset(params.dataset, snakemake.input.get("folder"))
    others = textures.classmates(images, params.name, params.class_images, exemplar.shape[:2])
made = [synthesis.load_exemplar(path) for path in paths]
try:
    values = portilla_simoncelli.distances(exemplar, [*made, *others])
except InputError as error:
    job.log.warning("ps_distance is left empty: %s", error)
    values = [np.nan] * (len(made) + len(others))
told = [synthesis.read_metadata(path) for path in paths]
table = pd.DataFrame(
    {
        "texture": snakemake.wildcards.texture,
        "network": [metadata.get("network", "portilla_simoncelli") for metadata in told],
        "seed": [metadata["seed"] for metadata in told],
        "ps_distance": values[: len(made)],
        "ps_distance_class": np.mean(values[len(made) :]) if others else np.nan,
    }
)
with files.whole(snakemake.output[0]) as path:
    table.to_csv(path, index=False)
