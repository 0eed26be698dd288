"""Losses of a DCGAN's generator and judge while they learned."""

from texalign import job

job.start(snakemake)

from texalign.figures import style, synthesis
from texalign.synthesis import traces

figure = synthesis.rivals(traces.join(snakemake.input.trainings))
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
