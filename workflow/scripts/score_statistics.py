"""What networks do not tell of synthetic images: statistics of Portilla and Simoncelli, diversity, memory.

The first are empty, with the reason in the log, where the optional package plenoptic is not installed.
"""

from texalign import job

job.start(snakemake)

from texalign import pictures, tables
from texalign.errors import InputError
from texalign.images import exemplars
from texalign.synthesis import likeness, portilla_simoncelli

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
kinds = [(made["method"], made["maker"]) for made in makings]
alike = {kind: [image for image, of in zip(images, kinds, strict=True) if of == kind] for kind in kinds}
diversity = {kind: likeness.diversity(of_kind) for kind, of_kind in alike.items()}
rows = []
for made, kind, image, distance in zip(makings, kinds, images, own, strict=True):
    about = {"texture": snakemake.wildcards.texture, "network": made["maker"], "seed": made["seed"]}
    about |= {"method": made["method"], "ps_distance": distance, "ps_distance_class": usual}
    rows.append(about | {"diversity": diversity[kind]} | likeness.memory(exemplar, image))
tables.write(snakemake.output[0], rows, job.about())
