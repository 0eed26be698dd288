rule prepare_exemplar:
    input:
        file=exemplar_file,
    output:
        place("exemplar"),
    log:
        log_of("prepare_exemplar", "exemplar"),
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("prepare_exemplar"),
        recipe=exemplar_recipe,
    script:
        "../scripts/prepare_exemplar.py"


rule measure_activations:
    input:
        images=place("images"),
        weights=weights_file,
    output:
        place("activations"),
    log:
        log_of("measure_activations", "activations"),
    benchmark:
        times_of("measure_activations", "activations")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        code=program("measure_activations"),
        entry=recipe_of,
    script:
        "../scripts/measure_activations.py"


# Textures that are listed together are made by one job for each network, seed and series, in common
# forward passes: a rule a list, synthesize_textures, synthesize_textures_1, ... What a profile says of
# the first holds for all.
for list_rule, keys in zip(LIST_RULES, LISTS):

    rule:
        name:
            list_rule
        input:
            exemplars=[place("exemplar", texture=texture) for texture in keys],
            weights=weights_file,
            activations=activations_file,
        output:
            images=[place("synthetic", texture=texture, method="descent") for texture in keys],
            traces=[place("trace", texture=texture, method="descent") for texture in keys],
        log:
            f"{STUDY}/logs/synthesize_textures/{keys[0]}/{{maker}}/{{layers}}/seed{{seed}}.log",
        benchmark:
            f"{STUDY}/benchmarks/synthesize_textures/{keys[0]}/{{maker}}/{{layers}}/seed{{seed}}.tsv"
        conda:
            "../../envs/texalign.yaml"
        threads: 4
        resources:
            gpu=int(SYNTHESIS_DEVICE != "cpu"),
            device=SYNTHESIS_DEVICE,
            checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
        params:
            code=program("synthesize_textures", LOSS),
            names=[TEXTURES[texture] for texture in keys],
            recipe=synthesis_recipe,
        script:
            "../scripts/synthesize_textures.py"


rule synthesize_statistics:
    input:
        exemplar=place("exemplar"),
    output:
        image=place("synthetic", method="statistics", maker=synthesis.BASELINE, layers="all"),
        trace=place("trace", method="statistics", maker=synthesis.BASELINE, layers="all"),
    log:
        f"{STUDY}/logs/synthesize_statistics/{{texture}}/seed{{seed}}.log",
    benchmark:
        f"{STUDY}/benchmarks/synthesize_statistics/{{texture}}/seed{{seed}}.tsv"
    conda:
        "../../envs/plenoptic.yaml"
    threads: 2
    resources:
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        code=program("synthesize_statistics"),
        name=named,
        seed=lambda wildcards: int(wildcards.seed),
        iterations=lookup(dpath="synthesis/iterations", within=config),
    script:
        "../scripts/synthesize_statistics.py"
