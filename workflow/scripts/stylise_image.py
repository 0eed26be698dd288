"""A content image with an exemplar's texture, by optimisation: a PNG with metadata, and its loss trace.

A killed job goes on from the checkpoint beside its image, which is removed at the end.
"""

from texalign import job

job.start(snakemake, snakemake.params.name)

from pathlib import Path

from texalign import networks, pictures, tables
from texalign.fast.prepare import prepare
from texalign.synthesis import gatys_network, losses, transfer

params, output = snakemake.params, snakemake.output
recipe, wanted = params.recipe, params.recipe["loss"]
network = networks.load_for(snakemake, recipe["entry"])
network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
exemplar, content = (pictures.decode(snakemake.input[kind], None) for kind in ("exemplar", "content"))
checkpoint = Path(output.image).with_suffix(".checkpoint")
with prepare(network, min(content.shape[:2]), recipe["precision"]) as fast:
    made = transfer.stylise(
        fast,
        exemplar,
        content,
        losses.get(wanted["loss"], **wanted["options"]),
        recipe["seed"],
        readout=wanted["readout"],
        layers=wanted["layers"],
        checkpoint=checkpoint,
        checkpoint_every=int(snakemake.resources.checkpoint_every),
        code=params.code,
        **recipe["content"],
        **recipe["settings"],
    )
about = {"texture": params.name, "maker": snakemake.wildcards.maker, "content": snakemake.wildcards.content}
pictures.save_png(output.image, made.image, about | made.metadata | job.about())
tables.write(output.trace, made.trace, job.about())
checkpoint.unlink(missing_ok=True)
