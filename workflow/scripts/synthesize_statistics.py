"""A grey image with an exemplar's statistics of Portilla and Simoncelli: the baseline without a network."""

from texalign import job

job.start(snakemake)

from texalign import portilla_simoncelli, synthesis

params = snakemake.params
exemplar = synthesis.load_exemplar(snakemake.input.exemplar)
image, trace = portilla_simoncelli.synthesize(exemplar, params.seed, params.iterations)
metadata = {"texture": params.name, "method": "portilla_simoncelli", "seed": params.seed}
metadata |= {"initial_loss": trace[0]["loss"], "loss": trace[-1]["loss"]}
metadata["versions"] = portilla_simoncelli.versions()
job.log.info("%s", metadata)
synthesis.save_trace(snakemake.output.trace, trace)
synthesis.save_png(snakemake.output.image, image, metadata)
