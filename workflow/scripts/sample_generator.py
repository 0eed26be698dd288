"""A sample of a trained generator, of a texture or of a style on a content: a PNG with what made it."""

from texalign import job

job.start(snakemake, snakemake.params.name)

from texalign import pictures
from texalign.synthesis import generator_file, sampling

params, wildcards = snakemake.params, snakemake.wildcards
generator, about = generator_file.load(snakemake.input.generator)
content = snakemake.input.get("content")
content = pictures.decode(content, None) if content else None
shown = pictures.decode(snakemake.input.exemplar, None) if content is None else content
size = params.get("size") or shown.shape[:2]
image = sampling.make(generator, int(wildcards.seed), size, content=content, noise_scale=params.noise)
told = ("architecture", "weights", "weights_sha256", "layers", "loss_function", "iteration", "converted_from")
metadata = {"texture": params.name, "method": about["method"], "maker": about["maker"]}
metadata |= {"seed": int(wildcards.seed), "noise": params.noise, "content": wildcards.get("content")}
metadata |= {"initial_loss": about.get("initial_loss")} | {key: about[key] for key in told if key in about}
pictures.save_png(snakemake.output[0], image, metadata | job.about())
