"""A grey image with an exemplar's statistics of Portilla and Simoncelli: the baseline without a network.

A killed job goes on from the checkpoint beside its output, which is removed at the end.
"""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import pictures, tables
from texalign.synthesis import portilla_simoncelli

params, output = snakemake.params, snakemake.output
checkpoint = Path(output.image).with_suffix(".checkpoint")
image, trace = portilla_simoncelli.synthesize(
    pictures.decode(snakemake.input.exemplar, None),
    params.seed,
    params.iterations,
    path=checkpoint,
    checkpoint_every=int(snakemake.resources.checkpoint_every),
    code=params.code,
)
metadata = {"texture": params.name, "method": "statistics", "maker": "portilla_simoncelli"}
metadata |= {"seed": params.seed, "initial_loss": trace[0]["loss"], "loss": trace[-1]["loss"]}
metadata |= {"versions": portilla_simoncelli.versions()} | job.about()
job.log.info("%s", metadata)
tables.write(output.trace, trace, job.about())
pictures.save_png(output.image, image, metadata)
checkpoint.unlink(missing_ok=True)
