"""Loss against evaluations for each texture, network and seed."""

from texalign import job

job.start(snakemake)

from texalign import escaping
from texalign.figures import style, synthesis
from texalign.synthesis import traces

study = escaping.unescape(snakemake.params.study)
figure = synthesis.loss_curves(traces.join(snakemake.input.traces), study)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
