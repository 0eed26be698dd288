"""One exemplar, resized, as all networks see it: from a file, or by its name in the image set."""

from texalign import job

job.start(snakemake)

from texalign import pictures
from texalign.images import exemplars
from texalign.plan import content

recipe, file = snakemake.params.recipe, snakemake.input.get("file") or None
content.check_any(file, recipe["content"])
image = exemplars.exemplar(recipe["name"], recipe["size"], file, recipe["dataset"])
pictures.save_png(snakemake.output[0], image, {"texture": recipe["name"], "method": "exemplar"} | job.about())
job.log.info("%s: %d x %d px", recipe["name"], image.shape[1], image.shape[0])
