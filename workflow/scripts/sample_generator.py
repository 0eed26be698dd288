"""A sample of a trained generator: a PNG with what made it."""

from texalign import job

job.start(snakemake, snakemake.params.name)

from texalign import pictures
from texalign.synthesis import generator_file, sampling

params = snakemake.params
generator, about = generator_file.load(snakemake.input.generator)
size = params.size or pictures.decode(snakemake.input.exemplar, None).shape[:2]
size = (size, size) if isinstance(size, int) else tuple(size)
image = sampling.sample(generator, params.seed, size, noise_scale=params.noise)
told = ("architecture", "weights", "weights_sha256", "layers", "loss_function", "iteration", "converted_from")
metadata = {"texture": params.name, "method": "generator", "maker": snakemake.wildcards.maker}
metadata |= {"seed": params.seed, "noise": params.noise, "initial_loss": about.get("initial_loss")}
metadata |= {key: about[key] for key in told if key in about} | job.about()
pictures.save_png(snakemake.output.image, image, metadata)
