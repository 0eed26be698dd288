"""Distance of synthetic images to their exemplar in the statistics of Portilla and Simoncelli.

Empty, with the reason in the log, where the optional package plenoptic is not installed.
"""

from texalign import job

job.start(snakemake)

from texalign import pictures, tables
from texalign.errors import InputError
from texalign.images import exemplars
from texalign.synthesis import portilla_simoncelli

params, paths = snakemake.params, snakemake.input.images
makings = [pictures.read_metadata(path) for path in paths]
exemplar = pictures.decode(snakemake.input.exemplar, None)
others = exemplars.classmates_of(
    params.name, params.dataset, snakemake.input.get("folder"), params.class_images, exemplar.shape[:2]
)
images = [pictures.decode(path, None) for path in paths]
try:
    distances = portilla_simoncelli.distances(exemplar, [*images, *others])
except InputError as error:
    job.log.warning("ps_distance is left empty: %s", error)
    distances = [None] * (len(images) + len(others))
own, of_class = distances[: len(images)], distances[len(images) :]
usual = sum(of_class) / len(of_class) if others and None not in of_class else None
rows = []
for made, distance in zip(makings, own, strict=True):
    about = {"texture": snakemake.wildcards.texture, "network": made["maker"], "seed": made["seed"]}
    rows.append(about | {"ps_distance": distance, "ps_distance_class": usual})
tables.write(snakemake.output[0], rows, job.about())
