"""Images with the texture statistics of exemplars, by one network: PNGs with metadata, and loss traces.

Several exemplars share their forward passes, and a folder. A killed job goes on from the checkpoints
beside the exemplars, which are removed at the end.
"""

from texalign import job

job.start(snakemake)

from pathlib import Path

import torch

from texalign import gatys, losses, networks, synthesis

recipe, wildcards, output = snakemake.params.recipe, snakemake.wildcards, snakemake.output
entry = recipe["entry"]
device = snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"
network = networks.load(entry, snakemake.input.get("weights"), device=device)
if snakemake.input.get("activations"):
    network = gatys.prepare(network, gatys.read_activations(snakemake.input.activations))

folders = [Path(path).parent for path in snakemake.input.exemplars]
exemplars = [synthesis.load_exemplar(path) for path in snakemake.input.exemplars]
loss = losses.get(recipe["loss"]["loss"], **recipe["loss"]["options"])
how = {key: recipe["loss"][key] for key in ("readout", "layers")}
reference = synthesis.Objective(network, exemplars, loss, **how)  # finds what is wrong before any work
network = networks.fold_batchnorm(network, min(exemplars[0].shape[:2]))
network = networks.set_precision(network, recipe["precision"])
job.log.info("%s on %s, maps of %s", entry["architecture"], network.device, reference.shapes)

checkpoints = [folder / f"{wildcards.run}{wildcards.network}.checkpoint" for folder in folders]
results = synthesis.synthesize_batch(
    network,
    exemplars,
    loss,
    [recipe["seed"]] * len(exemplars),
    checkpoints=checkpoints,
    checkpoint_every=int(snakemake.resources.checkpoint_every),
    **how,
    **recipe["settings"],
)
images = [output.get("image", f"{output[0]}/{folder.name}.png") for folder in folders]
networks.set_precision(network, "float32")
for i, (name, image, result) in enumerate(zip(snakemake.params.names, images, results, strict=True)):
    metadata = {"texture": name, "network": wildcards.network} | result.metadata
    metadata |= {key: entry.get(key) for key in ("architecture", "options")}
    if recipe["precision"] != "float32":
        with torch.no_grad():
            shown = reference.normalise(result.image)[None]
            metadata["loss_in_float32"] = reference.distances(shown, [i]).sum().item()
    told = {key: metadata[key] for key in metadata if "loss" in key or key in ("steps", "seconds")}
    job.log.info("%s: %s", name, told)
    synthesis.save_png(image, result.image, metadata)
    synthesis.save_trace(Path(image).with_suffix(".csv"), result.trace)
for checkpoint in checkpoints:
    checkpoint.unlink(missing_ok=True)
