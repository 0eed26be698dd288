"""Images between two textures, or between noise and a texture: a zip with their coordinates, and a figure."""

from texalign import job

job.start(snakemake, snakemake.wildcards.blend)

from texalign import networks, pictures
from texalign.fast.prepare import prepare
from texalign.figures import style, synthesis
from texalign.synthesis import blend, gatys_network, losses, matching, packs, scramble
from texalign.synthesis.objective import choose_layers, names_of

recipe, chosen = snakemake.params.recipe, snakemake.params.blend
wanted = recipe["loss"]
network = networks.load_for(snakemake, recipe["entry"])
network = gatys_network.prepare_from(network, snakemake.input.get("activations"))
ends = [pictures.decode(path, None) for path in snakemake.input.exemplars]
if len(ends) == 1:
    ends.insert(0, scramble.phase_scrambled(ends[0], recipe["seed"]))
loss = losses.get(wanted["loss"], **wanted["options"])
names = names_of(choose_layers(network, wanted["layers"]), loss)
places = blend.by_layer(names) if chosen["by"] == "layer" else blend.between(names, chosen["steps"])
with prepare(network, min(ends[0].shape[:2]), recipe["precision"]) as fast:
    objective = blend.BlendObjective(fast, ends, places, loss, wanted["readout"], wanted["layers"])
    made = matching.optimise(objective, [recipe["seed"]] * len(places), **recipe["settings"])
rows, files, images = [], {}, []
for step, (one, place) in enumerate(zip(made, places, strict=True)):
    images.append(pictures.to_pixels(one.image))
    files[f"step{step}.png"] = packs.png(images[-1])
    row = {"file": f"step{step}.png", "step": step, "loss": one.metadata["loss_as_shown"]}
    rows.append(row | {f"at_{name}": place[name] for name in names})
packs.write(snakemake.output.images, {"steps.csv": packs.table(rows, list(rows[0]))} | files)
titles = [chosen["from"], *blend.titles(places, chosen["by"]), chosen["to"]]
figure = synthesis.texture_grid([[ends[0], *images, ends[1]]], [""], titles)
style.save(figure, png=snakemake.output.strip)
