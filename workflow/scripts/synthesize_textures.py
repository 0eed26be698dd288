"""Images with the texture statistics of exemplars, by one network: PNGs with metadata, and loss traces.

Several exemplars share their forward passes. A killed job goes on from the checkpoints beside its
images, which are removed at the end.
"""

from texalign import job

job.start(snakemake, *snakemake.params.names)

from pathlib import Path

from texalign import networks, pictures, tables
from texalign.fast.prepare import prepare
from texalign.synthesis import gatys_network, losses, matching
from texalign.synthesis.objective import Objective

params, output = snakemake.params, snakemake.output
recipe, wanted = params.recipe, params.recipe["loss"]
network = networks.load_for(snakemake, recipe["entry"])
network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
exemplars = [pictures.decode(path, None) for path in snakemake.input.exemplars]
loss = losses.get(wanted["loss"], **wanted["options"])
how = {key: wanted[key] for key in ("readout", "layers")}
reference = Objective(network, exemplars, loss, **how)  # finds what is wrong before any work
job.log.info("%s on %s, maps of %s", network.architecture, network.device, reference.shapes)
checkpoints = [Path(path).with_suffix(".checkpoint") for path in output.images]
with prepare(network, min(exemplars[0].shape[:2]), recipe["precision"]) as fast:
    results = matching.synthesize_batch(
        fast,
        exemplars,
        loss,
        [recipe["seed"]] * len(exemplars),
        checkpoints=checkpoints,
        checkpoint_every=int(snakemake.resources.checkpoint_every),
        code=params.code,
        **how,
        **recipe["settings"],
    )
for i, result in enumerate(results):
    metadata = (
        {"texture": params.names[i], "maker": snakemake.wildcards.maker} | result.metadata | job.about()
    )
    if recipe["precision"] != "float32":
        metadata["loss_in_float32"] = reference.loss_of(result.image, i)
    job.log.info("%s", {key: value for key, value in metadata.items() if "loss" in key or key == "steps"})
    pictures.save_png(output.images[i], result.image, metadata)
    tables.write(output.traces[i], result.trace, job.about())
    checkpoints[i].unlink(missing_ok=True)
