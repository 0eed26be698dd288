"""Losses of all synthetic images of one texture under one network, and what to hold them against."""

from texalign import job

job.start(snakemake)

from texalign import networks, pictures, tables
from texalign.images import exemplars
from texalign.plan import content
from texalign.synthesis import gatys_network, losses, scores

params, judge = snakemake.params, snakemake.wildcards.network
makings = [pictures.read_metadata(path) for path in snakemake.input.images]
network = networks.load_for(snakemake)
network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
exemplar, name = pictures.decode(snakemake.input.exemplar, None), params.exemplar["name"]
file = snakemake.input.get("file") or None
content.check_any(file, params.exemplar["content"])
photograph = exemplars.exemplar(name, None, file) if file else exemplar
others = exemplars.classmates_of(
    name, params.dataset, snakemake.input.get("folder"), params.class_images, exemplar.shape[:2]
)
images = [pictures.decode(path, None) for path in snakemake.input.images]
loss = losses.get(params.loss["loss"], **params.loss["options"])
how = {key: params.loss[key] for key in ("readout", "layers")}
certificates = scores.certificates(network, exemplar, photograph, others, images, loss, **how)

rows = []
for made, values in zip(makings, certificates, strict=True):
    about = {"texture": snakemake.wildcards.texture, "network": made["maker"], "seed": made["seed"]}
    own = {"initial_loss": made["initial_loss"] if made["maker"] == judge else None}
    rows.append(
        about | {"scored_by": judge, "loss": values.pop("loss")} | own | values | {"method": made["method"]}
    )
tables.write(snakemake.output[0], rows, job.about())
