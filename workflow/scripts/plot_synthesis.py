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
# The images come texture by texture; not every method has one of each.
cells = snakemake.params.get("cells") or [range(row, len(images), len(labels)) for row in range(len(labels))]
rows = [originals, *([None if i is None else images[i] for i in row] for row in cells)]
figure = synthesis.texture_grid(rows, ["Original", *labels], names)
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
