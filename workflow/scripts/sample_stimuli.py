"""Many samples of one generator, with the loss of each under the network that it learned from."""

from texalign import job

job.start(snakemake)

from texalign import networks, pictures
from texalign.figures import clusters, style
from texalign.synthesis import gatys_network, generator_file, losses, packs, sampling, scores

params, recipe, output = snakemake.params, snakemake.params.recipe, snakemake.output
generator, about = generator_file.load(snakemake.input.generator)
exemplar = pictures.decode(snakemake.input.exemplar, None)
size, seeds = params.size or exemplar.shape[:2], range(params.samples)
images = [sampling.make(generator, seed, size, noise_scale=params.noise) for seed in seeds]
found = [None] * len(images)
if recipe:
    network = networks.load_for(snakemake, recipe["entry"])
    network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
    wanted = recipe["loss"]
    loss = losses.get(wanted["loss"], **wanted["options"])
    how = {key: wanted[key] for key in ("readout", "layers")}
    found = [row["loss"] for row in scores.losses_of(network, exemplar, images, loss, **how)]
rows = [{"file": f"{i}.png", "seed": i, "loss": value} for i, value in enumerate(found)]
files = {f"{i}.png": packs.png(image) for i, image in enumerate(images)}
packs.write(output.samples, {"samples.csv": packs.table(rows, ("file", "seed", "loss"))} | files)
shown = [("exemplar", [exemplar]), ("samples", images[:8])]
sheet = clusters.contact_sheet(shown, snakemake.wildcards.texture, across=8)
style.save(sheet, png=output.sheet, dpi=165)
