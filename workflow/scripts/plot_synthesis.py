"""Originals above what was synthesised from them, one column a texture (Fig. 4; Gatys et al., Fig. 2)."""

from texalign import job

job.start(snakemake)

from texalign import plots, plots_synthesis, textures

names, labels = snakemake.params.textures, snakemake.params.labels
originals, images = (
    [textures.decode(path, None) for path in paths]
    for paths in (snakemake.input.exemplars, snakemake.input.images)
)
# The images come texture by texture.
rows = [originals, *(images[row :: len(labels)] for row in range(len(labels)))]
figure = plots_synthesis.texture_grid(rows, ["Original", *labels], names)
plots.save(figure, pdf=snakemake.output.pdf, png=snakemake.output.png)
