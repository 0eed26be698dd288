"""Originals above what was synthesised from them, one column a texture (Fig. 4; Gatys et al., Fig. 2)."""

from texalign import job

job.start(snakemake)

from texalign import escaping, pictures
from texalign.figures import style, synthesis

names, labels = snakemake.params.textures, escaping.unescape(snakemake.params.labels)
originals, images = (
    [pictures.decode(path, None) for path in paths]
    for paths in (snakemake.input.exemplars, snakemake.input.images)
)
# The images come texture by texture.
rows = [originals, *(images[row :: len(labels)] for row in range(len(labels)))]
figure = synthesis.texture_grid(rows, ["Original", *labels], names)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
