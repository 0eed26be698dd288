import importlib.util
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

# What is made of the exemplars: images by makers, seeds and layers.

SYNTHESISERS = SYNTHESIS["networks"] or NETWORKS
for network in SYNTHESISERS:
    check_network(network, f"{CONFIG}: synthesis: networks")

BASELINE = "portilla_simoncelli"
# Beside the networks' images lie the exemplar and the baseline.
MAKER = rf"(?!(exemplar|{BASELINE})\.)[A-Za-z0-9][A-Za-z0-9_.-]*"
# The makers of images: networks, and the statistics without a network.
MAKERS = {"networks": SYNTHESISERS, BASELINE: [BASELINE], "both": [*SYNTHESISERS, BASELINE]}[
    SYNTHESIS["method"]
]


def synthesis_layers(wildcards):
    """The layers that count in this run: all, those of the config, or the first few of these for a series."""
    layers = SYNTHESIS["layers"]
    last = re.search(r"to_(L\d+)/", wildcards.get("run", ""))
    if last:
        layers = layers or layers_of(wildcards.network)
        layers = layers[: layers.index(last[1]) + 1] if last[1] in layers else [last[1]]
    return layers


def synthesis_loss(wildcards):
    readout = SYNTHESIS["readout"] or ("relu" if SYNTHESIS["loss"] == "gatys" else READOUT)
    loss = {"loss": SYNTHESIS["loss"], "options": SYNTHESIS["loss_options"], "readout": readout}
    return loss | {"layers": synthesis_layers(wildcards)}


def synthesis_settings(wildcards):
    keys = ("optimizer", "iterations", "history", "learning_rate", "noise_mean", "noise_std", "bounds")
    return {key: SYNTHESIS[key] for key in (*keys, "restarts")} | {"size": SYNTHESIS["output_size"]}


def seed_of(wildcards):
    seed = re.match(r"seed(\d+)/", wildcards.run)
    return int(seed[1]) if seed else 0


def synthesis_recipe(wildcards):
    """What an image depends on besides its exemplar."""
    return {
        "entry": network_entry(models[wildcards.network]),
        "loss": synthesis_loss(wildcards),
        "settings": synthesis_settings(wildcards),
        "seed": seed_of(wildcards),
        "precision": config["precision"],
    }


def batch_folder(wildcards):
    """What one job made of a texture and those it is listed with; it is called by the first of them."""
    first = next(first for first, keys in BATCHES.items() if wildcards.texture in keys)
    return f"{STUDY}/synthesis/{first}/{wildcards.run}{wildcards.network}.batch"


def activations_file(wildcards):
    activations = f"{STUDY}/synthesis/activations/{wildcards.network}.h5"
    return activations if SYNTHESIS["gatys_network"] else []


def runs(layer=""):
    return [(f"seed{seed}/" if seed else "") + layer for seed in SYNTHESIS["seeds"]]


def images_of(wildcards):
    """All synthetic images of one texture, of all layers; a series is shown, not scored."""
    return expand(f"{STUDY}/synthesis/{wildcards.texture}/{{run}}{{maker}}.png", run=runs(), maker=MAKERS)


def series_layers(network):
    """The layers of a series, the last of which is the image of all layers."""
    return SYNTHESIS["layers"] or layers_of(network)


def series_images(wildcards):
    """The images of a series, texture by texture, from the first layer to all."""
    layers = [f"to_{layer}/" for layer in series_layers(wildcards.network)[:-1]]
    return expand(
        f"{STUDY}/synthesis/{{texture}}/{{run}}{wildcards.network}.png",
        texture=TEXTURES,
        run=[runs(layer)[0] for layer in [*layers, ""]],
    )


SERIES = SYNTHESIS["series"] if isinstance(SYNTHESIS["series"], list) else SYNTHESISERS * SYNTHESIS["series"]
for network in SERIES:
    if network not in SYNTHESISERS:
        raise WorkflowError(
            f"{CONFIG}: synthesis: series: {network!r} is not among its networks: {', '.join(SYNTHESISERS)}"
        )

SYNTHESIS_DEVICE = SYNTHESIS["device"] or config["device"]
# Installed later, it makes the column that is empty without it.
HAS_PLENOPTIC = importlib.util.find_spec("plenoptic") is not None


def maker_label(maker):
    return "Portilla-Simoncelli" if maker == BASELINE else network_label(maker)


def grid_labels(wildcards):
    """What the report calls the grid of a seed."""
    seed = f", seed {seed_of(wildcards)}" if len(SYNTHESIS["seeds"]) > 1 else ""
    return {"figure": f"originals and networks{seed}"}


def series_labels(wildcards):
    layers = series_layers(wildcards.network)
    return [layer if layer == layers[0] else f"{layers[0]} to {layer}" for layer in layers]


def synthesis_targets(wildcards):
    if not TEXTURES:
        raise WorkflowError(
            f"{CONFIG}: synthesis: textures: none; name a file, or <class>/<file> of the image set"
        )
    figures = [f"{run}textures" for run in runs()] + ["scores"] + ["loss"] * (MAKERS != [BASELINE])
    return [
        f"{STUDY}/synthesis/scores.csv",
        *expand(
            f"{STUDY}/synthesis/{{texture}}/{{run}}{{maker}}.png", texture=TEXTURES, run=runs(), maker=MAKERS
        ),
        *expand(f"{STUDY}/figures/synthesis/{{figure}}.png", figure=figures),
        *expand(f"{STUDY}/figures/synthesis/series/{{network}}.png", network=SERIES),
    ]


def synthesis_so_far(wildcards):
    """What a report shows of it: all, once it was asked for."""
    return synthesis_targets(wildcards) if TEXTURES and Path(f"{STUDY}/synthesis/scores.csv").exists() else []
