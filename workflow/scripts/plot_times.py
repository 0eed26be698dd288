"""Loss against time while images were optimised, beside that of generators (Ulyanov et al., 2016, Fig. 6)."""

from texalign import job

job.start(snakemake)

from texalign import escaping
from texalign.figures import style, synthesis
from texalign.synthesis import traces

optimised, trained = (traces.join(snakemake.input[name]) for name in ("traces", "trainings"))
figure = synthesis.loss_over_time(optimised, trained, escaping.unescape(snakemake.params.study))
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
