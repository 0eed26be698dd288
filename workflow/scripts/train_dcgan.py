"""A DCGAN of patches of one exemplar: its generator, and how it learned.

A killed job goes on from the checkpoint beside its generator, which is removed at the end.
"""

from texalign import job

job.start(snakemake, snakemake.params.name)

from pathlib import Path

from texalign import networks, pictures, tables
from texalign.synthesis import dcgan, generator_file

params, output = snakemake.params, snakemake.output
checkpoint = Path(output.generator).with_suffix(".checkpoint")
generator, trace, metadata = dcgan.train(
    pictures.decode(snakemake.input.exemplar, None),
    int(snakemake.wildcards.trained),
    path=checkpoint,
    device=networks.pick_device(job.device(snakemake)),
    code=params.code,
    checkpoint_every=int(snakemake.resources.checkpoint_every),
    **params.settings,
)
about = {"texture": params.name, "maker": "dcgan"} | metadata | job.about()
generator_file.save(output.generator, generator, about)
tables.write(output.trace, trace, job.about())
checkpoint.unlink(missing_ok=True)
