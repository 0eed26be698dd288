# What the rules of synthesis, of all its methods, ask for; and the names that all figures call networks by.

TEXTURES = told(synthesis.keys)(config, CONFIG)
# Each list of textures is made by one job.
LISTS = [[synthesis.key(name, DATASET) for name in names] for names in synthesis.lists(config)]
MAKERS = synthesis.makers(config)
SYNTHESISERS = synthesis.networks_of(config)
for network in SYNTHESISERS:
    told(networks.check_known)(models, network, MODEL_TABLES, f"{CONFIG}: synthesis: networks")
SERIES = told(synthesis.series_of)(config, CONFIG)
SYNTHESIS_DEVICE = SYNTHESIS["device"] or config["device"]
LOSS = f"texalign.synthesis.losses.{SYNTHESIS['loss']}"
told(generators.check)(config, TEXTURES, CONFIG)
told(generators.check_blends)(config, TEXTURES, CONFIG)
TRAINED = SYNTHESIS["generator"]["seed"]
STIMULI = generators.stimuli(config, TEXTURES)
CONTENTS = told(generators.contents)(config, CONFIG)
STYLED, POOL = (generators.of_key(config, CONTENTS, key) for key in ("contents", "pool"))


# The same names, colours and markers in all figures. Escaped, as a report shows the params of its rules.
STUDY_NETWORKS = {
    network: names | {"control": network in config["controls"]}
    for network, names in networks.names(models, dict.fromkeys([*MEASURED, *SYNTHESISERS])).items()
}
LABELS = escape(labels(STUDY_NETWORKS) | synthesis.OTHER_LABELS)
GRID, CELLS = synthesis.grid(config, TEXTURES)
GRID_LABELS = [synthesis.shown(method, LABELS[maker]) for method, maker in GRID]

# Installed later, it makes the column of scores that is empty without it.
HAS_PLENOPTIC = importlib.util.find_spec("plenoptic") is not None
EVERY_MAKER = dict.fromkeys([*(maker for _, maker in GRID), *SYNTHESISERS])
# A network's generator is a maker of its own.
SCORE_LABELS = {maker: LABELS[maker] for maker in EVERY_MAKER} | {
    f"generator of {maker}": label
    for (method, maker), label in zip(GRID, GRID_LABELS)
    if method == "generator"
}
# Each row of the figure of style transfer: its texture, and what it is made by.
STYLE_ROWS = [
    (texture, synthesis.shown("generator" if method == generators.STYLE else method, LABELS[maker]))
    for texture in TEXTURES
    for method, maker in generators.stylists(config, texture)
]
TRAININGS = generators.trainings(config, TEXTURES)
TRACES = [trace for trace in synthesis.images(config, TEXTURES, "trace") if "/descent/" in trace]


def named(wildcards):
    """The texture that a folder stands for."""
    return told(synthesis.name_of)(wildcards.texture, TEXTURES, CONFIG)


def exemplar_file(wildcards):
    file = told(synthesis.exemplar_file)(named(wildcards), DATASET, CONFIG)
    if file is None:
        return []
    return file if file.startswith("resources/") else ancient(local(file))


def exemplar_recipe(wildcards):
    return told(synthesis.exemplar_recipe)(named(wildcards), config, HASHES, CONFIG)


def class_dataset(wildcards):
    return synthesis.class_dataset(named(wildcards), config, listing())


def class_folder(wildcards):
    return image_folder(wildcards) if class_dataset(wildcards) else []


def activations_file(wildcards):
    network = wildcards.get("network") or wildcards.maker
    return place("activations", network=network) if SYNTHESIS["gatys_network"] else []


def synthesis_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return synthesis.recipe(config, models[wildcards.maker], layers, int(wildcards.seed))


def generator_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.recipe(config, models[wildcards.maker], layers)


def published_file(wildcards):
    return ancient(local(told(generators.published_file)(wildcards.texture, config, CONFIG)))


def published_style(wildcards):
    return ancient(local(told(generators.published_file)(wildcards.texture, config, CONFIG, "transfer")))


def judge_recipe(wildcards):
    """What gives the samples of a generator their losses; nothing where no network made it."""
    return generator_recipe(wildcards) if wildcards.maker in models else None


def judge_weights(wildcards):
    return weights_file(wildcards) if wildcards.maker in models else []


def judge_activations(wildcards):
    return activations_file(wildcards) if wildcards.maker in models else []


def content_named(wildcards):
    if wildcards.content not in CONTENTS:
        there = ", ".join(CONTENTS) or "none"
        stop(f"{CONFIG}: synthesis: transfer: contents: no {wildcards.content}; there are: {there}")
    return CONTENTS[wildcards.content]


def content_file(wildcards):
    return ancient(local(content_named(wildcards)))


def content_recipe(wildcards):
    return generators.content_recipe(content_named(wildcards), config, HASHES)


def style_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.style_recipe(config, models[wildcards.maker], layers)


def transfer_recipe(wildcards):
    layers = synthesis.layers_taken(wildcards.layers)
    return generators.transfer_recipe(config, models[wildcards.maker], layers, int(wildcards.seed))


def stylised_images(wildcards):
    return generators.stylised(config, TEXTURES, STYLED, int(wildcards.seed))


def blend_of(wildcards):
    return told(generators.blend_of)(config, wildcards.blend, CONFIG)


def blend_exemplars(wildcards):
    return [place("exemplar", texture=texture) for texture in generators.blend_ends(blend_of(wildcards))]


def blends_targets(wildcards):
    if not SYNTHESIS["blends"]:
        stop(f"{CONFIG}: synthesis: blends: none; name one, as {{ours: {{from: noise, to: <texture>}}}}")
    return generators.blended(config)


def generators_targets(wildcards):
    told(generators.asked)(config, TEXTURES, CONFIG, "generators")
    return generators.trained(config, TEXTURES)


def samples_targets(wildcards):
    return told(generators.asked)(config, TEXTURES, CONFIG, "samples")


def transfer_targets(wildcards):
    if not SYNTHESIS["transfer"]["contents"]:
        stop(f"{CONFIG}: synthesis: transfer: contents: none; name an image whose content is kept")
    return [f"{STUDY}/figures/synthesis/transfer/seed{seed}.png" for seed in SYNTHESIS["seeds"]]


def images_of(wildcards):
    return synthesis.images(config, [wildcards.texture])


def grid_images(wildcards):
    """One seed's images, texture by texture."""
    return synthesis.images(config, TEXTURES, seeds=[int(wildcards.seed)])


def series_images(wildcards):
    """The images of a series, texture by texture, from the first layer to all."""
    parts = synthesis.series_parts(config, models, wildcards.network)
    seed, maker = SYNTHESIS["seeds"][0], wildcards.network
    return [
        place("synthetic", texture=texture, method="descent", maker=maker, layers=part, seed=seed)
        for texture in TEXTURES
        for part in parts
    ]


def series_labels(wildcards):
    layers = SYNTHESIS["layers"] or networks.layers(models[wildcards.network])
    return [layer if layer == layers[0] else f"{layers[0]} to {layer}" for layer in layers]


def synthesis_targets(wildcards):
    return told(synthesis.targets)(config, TEXTURES, SERIES, CONFIG)


def synthesis_so_far(wildcards):
    """What a report shows of it: all, once it was asked for."""
    made = TEXTURES and Path(f"{STUDY}/synthesis/scores.csv").exists()
    return synthesis_targets(wildcards) if made else []


def alike(first, count):
    """Name the rules that a loop makes, and let what a profile says of the first hold for all.

    Called before there is a rule: with the first, snakemake reads for good what the profile says.
    """
    names = [first, *(f"{first}_{number}" for number in range(1, count))]
    for chosen in (
        workflow.resource_settings.overwrite_resources,
        workflow.resource_settings.overwrite_threads,
        workflow.group_settings.overwrite_groups,
    ):
        for name in names if first in chosen else []:
            if isinstance(chosen[first], Mapping):  # resources, each by itself
                said = chosen[first].copy()
                said.update(chosen.get(name, {}))
                chosen[name] = said
            else:
                chosen.setdefault(name, chosen[first])
    return names


LIST_RULES = alike("synthesize_textures", len(LISTS))
