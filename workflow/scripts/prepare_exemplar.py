"""One exemplar, resized, as all networks see it: from a file, or by its name in the image set."""

from texalign import job

job.start(snakemake)

from PIL import Image

from texalign import files, textures

params = snakemake.params
image = textures.exemplar(params.name, params.size, snakemake.input.get("file") or None, params.dataset)
with files.whole(snakemake.output[0]) as path:
    Image.fromarray(image).save(path, format="PNG")
job.log.info("%s: %d x %d px", params.name, image.shape[1], image.shape[0])
