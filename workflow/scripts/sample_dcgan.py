"""A sample of a DCGAN: a PNG with what made it."""

from texalign import job

job.start(snakemake, snakemake.params.name)

from texalign import pictures
from texalign.synthesis import dcgan, generator_file

params = snakemake.params
generator, _ = generator_file.load(snakemake.input.generator)
size = params.size or pictures.decode(snakemake.input.exemplar, None).shape[:2]
size = (size, size) if isinstance(size, int) else tuple(size)
image = dcgan.sample(generator, params.seed, size)
metadata = {"texture": params.name, "method": "dcgan", "maker": "dcgan", "seed": params.seed}
pictures.save_png(snakemake.output.image, image, metadata | {"initial_loss": None} | job.about())
