"""Styles on contents: a column a content, a row a style and what puts it there."""

from texalign import job

job.start(snakemake)

from texalign import escaping, pictures
from texalign.figures import style, synthesis

contents, rows = snakemake.params.contents, escaping.unescape(snakemake.params.rows)
styles, originals, images = (
    [pictures.decode(path, None) for path in snakemake.input[kind]]
    for kind in ("exemplars", "contents", "images")
)
textures = list(dict.fromkeys(texture for texture, _ in rows))
grid, width = [[None, *originals]], len(contents)
for number, (texture, _) in enumerate(rows):
    grid.append([styles[textures.index(texture)], *images[number * width : (number + 1) * width]])
labels = ["Content", *(label for _, label in rows)]
figure = synthesis.texture_grid(grid, labels, ["Style", *contents])
style.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
