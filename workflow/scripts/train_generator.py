"""A generator of one texture or style, by one network: its weights, how it learned, and samples on the way.

A killed job goes on from the checkpoint beside its generator, which is removed at the end.
"""

from texalign import job

job.start(snakemake, snakemake.params.name)

from pathlib import Path

from texalign import networks, pictures, tables
from texalign.fast.prepare import prepare
from texalign.figures import style, synthesis
from texalign.synthesis import gatys_network, generator_file, losses, training

params, output = snakemake.params, snakemake.output
recipe, wanted = params.recipe, params.recipe["loss"]
network = networks.load_for(snakemake, recipe["entry"])
network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
exemplar = pictures.decode(snakemake.input.exemplar, None)
checkpoint = Path(output.generator).with_suffix(".checkpoint")
stylises = snakemake.input.get("contents") is not None
built = training.architecture(recipe["setting"], stylises, **recipe["architecture"])
size = recipe["training"]["size"] or exemplar.shape[:2]
contents = [pictures.decode(path, size, "crop") for path in snakemake.input.get("contents", [])]
with prepare(network, min(exemplar.shape[:2]), recipe["precision"]) as fast:
    made = training.train(
        fast,
        exemplar,
        losses.get(wanted["loss"], **wanted["options"]),
        int(snakemake.wildcards.trained),
        setting=recipe["setting"],
        built=built,
        contents=contents,
        readout=wanted["readout"],
        layers=wanted["layers"],
        path=checkpoint,
        code=params.code,
        checkpoint_every=int(snakemake.resources.checkpoint_every),
        **recipe["training"],
    )
about = {"texture": params.name, "maker": snakemake.wildcards.maker} | made.metadata | job.about()
about["method"] = "style" if stylises else "generator"
job.log.info("kept iteration %(iteration)d, held-out loss %(held_out_loss).4g", made.metadata)
generator_file.save(output.generator, made.generator, about)
tables.write(output.trace, made.trace, job.about())
style.save(synthesis.sample_sheet(exemplar, made.sheets, made.trace), png=output.sheet)
checkpoint.unlink(missing_ok=True)
