# Many samples of a generator in one job, with their losses.
rule sample_stimuli:
    input:
        generator=place("trained", trained=SYNTHESIS["generator"]["seed"]),
        exemplar=place("exemplar"),
        weights=judge_weights,
        activations=judge_activations,
    output:
        place("samples"),
    log:
        log_of("sample_stimuli", "samples"),
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        code=program("sample_stimuli", LOSS),
        recipe=judge_recipe,
        samples=lambda wildcards: synthesis.samples(config),
        size=lookup(dpath="synthesis/output_size", within=config),
        noise=lookup(dpath="synthesis/generator/noise", within=config),
    script:
        "../scripts/sample_stimuli.py"


rule pack_stimuli:
    input:
        exemplars=expand(place("exemplar"), texture=TEXTURES),
        images=STIMULI["images"],
        samples=STIMULI["samples"],
    output:
        f"{STUDY}/stimuli.zip",
    log:
        log_of("pack_stimuli"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("pack_stimuli"),
        textures=TEXTURE_CLASSES,
        choices=lookup(dpath="synthesis/stimuli", within=config),
    script:
        "../scripts/pack_stimuli.py"


rule stimuli:
    input:
        rules.pack_stimuli.output,
