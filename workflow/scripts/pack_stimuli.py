"""One zip for an experiment: images matched in luminance, their manifest, and odd-one-out trials."""

from texalign import job

job.start(snakemake)

from texalign import escaping, pictures
from texalign.figures import clusters, style
from texalign.synthesis import packs

params, choices = snakemake.params, snakemake.params.choices
entries, images = [], []
for path, texture in zip(snakemake.input.exemplars, params.textures, strict=True):
    image = pictures.decode(path, None)
    found = [packs.described(image, "photograph"), *packs.scrambled(image, choices["scrambled"])]
    for file in (*snakemake.input.images, *snakemake.input.samples):
        if f"/synthesis/{texture}/" in file:
            found += packs.samples(file) if file.endswith(".zip") else [packs.made(file)]
    for entry, image in found:
        entries.append({"texture": texture, "texture_class": params.textures[texture]} | entry)
        images.append(image)
content, told = packs.assemble(entries, images, choices)
job.log.info("%s", told)
packs.write(snakemake.output.pack, content)
figure = clusters.contact_sheet(packs.kinds(content, escaping.unescape(params.labels)), "Stimuli", across=8)
style.save(figure, png=snakemake.output.sheet, dpi=165)
