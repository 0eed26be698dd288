"""Losses of all synthetic images of one texture under one network, and what to hold them against."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import files, gatys, losses, networks, scores, synthesis, textures

params, this = snakemake.params, snakemake.wildcards.network
device = snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"
network = networks.load(params.entry, snakemake.input.get("weights"), device=device)
if snakemake.input.get("activations"):
    network = gatys.prepare(network, gatys.read_activations(snakemake.input.activations))

exemplar = synthesis.load_exemplar(snakemake.input.exemplar)
others = []
if params.dataset:
    images = textures.load_dataset(params.dataset, snakemake.input.get("folder"))
    others = textures.classmates(images, params.name, params.class_images, exemplar.shape[:2])
how = {key: params.loss[key] for key in ("readout", "layers")} | {
    "loss": losses.get(params.loss["loss"], **params.loss["options"])
}
made = [synthesis.load_exemplar(path) for path in snakemake.input.images]
file = snakemake.input.get("file")
photograph = textures.exemplar(params.name, None, file) if file else exemplar
halves = scores.between(network, scores.halves(exemplar), **how)
references = {
    "halves_loss": halves.get("loss"),
    "crops_loss": scores.between(network, scores.crops(photograph, exemplar.shape[:2]), **how).get("loss"),
    "class_loss": scores.mean(scores.losses_of(network, exemplar, others, **how)).get("loss"),
}
rows = []
for path, values in zip(
    snakemake.input.images, scores.losses_of(network, exemplar, made, **how), strict=True
):
    told = synthesis.read_metadata(path)
    maker = told.get("network", "portilla_simoncelli")
    layer, ratio = scores.worst_layer(values, halves)
    rows.append(
        {"texture": snakemake.wildcards.texture, "network": maker, "seed": told["seed"], "scored_by": this}
        | {"loss": values["loss"], "initial_loss": told["initial_loss"] if maker == this else None}
        | {**references, "worst_layer": layer, "worst_layer_ratio": ratio}
    )
table = pd.DataFrame(rows)
with files.whole(snakemake.output[0]) as path:
    table.to_csv(path, index=False)
