rule prepare_exemplar:
    input:
        file=exemplar_file,
        library=library("procedural", "textures", script="prepare_exemplar"),
    output:
        f"{STUDY}/synthesis/{{texture}}/exemplar.png",
    log:
        f"{STUDY}/logs/prepare_exemplar/{{texture}}.log",
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        name=texture_name,
        size=lookup(dpath="synthesis/size", within=config),
        dataset=exemplar_dataset,
    script:
        "../scripts/prepare_exemplar.py"


rule measure_activations:
    input:
        images=f"{STUDY}/images.h5",
        weights=weights_file,
        library=library("gatys", "gram", "networks", "store", script="measure_activations"),
    output:
        f"{STUDY}/synthesis/activations/{{network}}.h5",
    log:
        f"{STUDY}/logs/measure_activations/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/measure_activations/{{network}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        entry=lambda wildcards: network_entry(models[wildcards.network]),
    script:
        "../scripts/measure_activations.py"


rule synthesize_texture:
    input:
        exemplars=exemplars_together,
        weights=weights_file,
        activations=activations_file,
        library=library(
            "descent",
            "gatys",
            "gram",
            "losses",
            "networks",
            "procedural",
            "store",
            "synthesis",
            "textures",
            script="synthesize_texture",
        ),
    output:
        image=f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.png",
        trace=f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.csv",
    log:
        f"{STUDY}/logs/synthesize_texture/{{texture}}/{{run}}{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/synthesize_texture/{{texture}}/{{run}}{{network}}.tsv"
    wildcard_constraints:
        texture=rf"(?!({BATCHED})/)[^\W_][\w-]*",
        network=MAKER,
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        names=names_together,
        recipe=synthesis_recipe,
    script:
        "../scripts/synthesize_texture.py"


rule synthesize_statistics:
    input:
        exemplar=f"{STUDY}/synthesis/{{texture}}/exemplar.png",
        library=library(
            "descent",
            "gram",
            "losses",
            "networks",
            "portilla_simoncelli",
            "procedural",
            "synthesis",
            "textures",
            script="synthesize_statistics",
        ),
    output:
        image=f"{STUDY}/synthesis/{{texture}}/{{run}}{BASELINE}.png",
        trace=f"{STUDY}/synthesis/{{texture}}/{{run}}{BASELINE}.csv",
    log:
        f"{STUDY}/logs/synthesize_statistics/{{texture}}/{{run}}statistics.log",
    benchmark:
        f"{STUDY}/benchmarks/synthesize_statistics/{{texture}}/{{run}}statistics.tsv"
    conda:
        "../../envs/plenoptic.yaml"
    threads: 2
    resources:
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        name=texture_name,
        seed=seed_of,
        iterations=lookup(dpath="synthesis/iterations", within=config),
    script:
        "../scripts/synthesize_statistics.py"
