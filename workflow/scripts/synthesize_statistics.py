"""A grey image with an exemplar's statistics of Portilla and Simoncelli: the baseline without a network.

A killed job goes on from the checkpoint beside its output, which is removed at the end.
"""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import portilla_simoncelli, synthesis

params = snakemake.params
exemplar = synthesis.load_exemplar(snakemake.input.exemplar)
checkpoint = Path(snakemake.output.image).with_suffix(".checkpoint")
image, trace = portilla_simoncelli.synthesize(
    exemplar,
    params.seed,
    params.iterations,
    checkpoint=checkpoint,
    checkpoint_every=int(snakemake.resources.checkpoint_every),
)
metadata = {"texture": params.name, "method": "portilla_simoncelli", "seed": params.seed}
metadata |= {"initial_loss": trace[0]["loss"], "loss": trace[-1]["loss"]}
metadata["versions"] = portilla_simoncelli.versions()
job.log.info("%s", metadata)
synthesis.save_trace(snakemake.output.trace, trace)
synthesis.save_png(snakemake.output.image, image, metadata)
checkpoint.unlink(missing_ok=True)
