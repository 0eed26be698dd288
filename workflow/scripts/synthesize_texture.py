"""An image with the texture statistics of an exemplar, by one network: PNG with metadata, and loss trace.

A killed job goes on from the checkpoint beside its output, which is removed at the end.
"""

from texalign import job

job.start(snakemake)

from pathlib import Path

import torch

from texalign import losses, networks, store, synthesis

params, wildcards, output = snakemake.params, snakemake.wildcards, snakemake.output
device = snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"
network = networks.load(params.entry, snakemake.input.get("weights"), device=device)
if snakemake.input.get("activations"):
    with store.open_h5(snakemake.input.activations) as source:
        means = {name: torch.from_numpy(source[name][:]) for name in source}
    network = losses.gatys_network(losses.gatys_network(network), means)

exemplar = synthesis.load_exemplar(snakemake.input.exemplar)
loss = losses.get(params.loss["loss"], **params.loss["options"])
how = {key: params.loss[key] for key in ("readout", "layers")}
reference = synthesis.Objective(network, [exemplar], loss, **how)  # finds what is wrong before any work
network = networks.fold_batchnorm(network, min(exemplar.shape[:2]))
network = networks.set_precision(network, params.precision)
job.log.info("%s on %s, maps of %s", params.entry["architecture"], network.device, reference.shapes)

checkpoint = Path(output.image).with_suffix(".checkpoint")
result = synthesis.synthesize(
    network,
    exemplar,
    loss,
    params.seed,
    checkpoint=checkpoint,
    checkpoint_every=int(snakemake.resources.checkpoint_every),
    **how,
    **params.settings,
)
metadata = {"texture": params.name, "network": wildcards.network} | result.metadata
metadata |= {key: params.entry.get(key) for key in ("architecture", "options")}
if params.precision != "float32":
    networks.set_precision(network, "float32")
    with torch.no_grad():
        image = reference.normalise(result.image)[None]
        metadata["loss_in_float32"] = reference.distances(image, [0]).sum().item()
job.log.info("%s", {key: metadata[key] for key in metadata if "loss" in key or key in ("steps", "seconds")})
synthesis.save_trace(output.trace, result.trace)
synthesis.save_png(output.image, result.image, metadata)
checkpoint.unlink(missing_ok=True)
