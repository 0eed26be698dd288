"""Every network's images under every network, and their losses against those to be expected."""

from texalign import job

job.start(snakemake)

from texalign import escaping, tables
from texalign.figures import style, synthesis

labels, scores = escaping.unescape(snakemake.params.labels), tables.read(snakemake.input.scores)
# A network's generator is a maker of its own.
scores["network"] = scores["network"].where(
    scores["method"] != "generator", "generator of " + scores["network"]
)
figure = synthesis.scores(scores, labels)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
