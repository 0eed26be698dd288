rule train_generator:
    input:
        exemplar=place("exemplar"),
        weights=weights_file,
        activations=activations_file,
    output:
        generator=place("trained", method="generator"),
        trace=place("training", method="generator"),
        sheet=place("sheet", method="generator"),
    log:
        log_of("train_generator", "trained"),
    benchmark:
        times_of("train_generator", "trained")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        code=program("train_generator", LOSS),
        name=named,
        recipe=generator_recipe,
    script:
        "../scripts/train_generator.py"


# A generator that its authors published, in Torch7's format.
rule convert_generator:
    input:
        published_file,
    output:
        place("trained", method="generator", maker=synthesis.PUBLISHED, layers="all"),
    log:
        log_of("convert_generator", "synthesis/{texture}/{trained}.safetensors"),
    conda:
        "../../envs/torch7.yaml"
    params:
        code=program("convert_generator"),
    script:
        "../scripts/convert_generator.py"


rule sample_generator:
    input:
        generator=place("trained", method="generator", trained=SYNTHESIS["generator"]["seed"]),
        exemplar=place("exemplar"),
    output:
        image=place("synthetic", method="generator"),
    log:
        f"{STUDY}/logs/sample_generator/{{texture}}/{{maker}}/{{layers}}/seed{{seed}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("sample_generator"),
        name=named,
        seed=lambda wildcards: int(wildcards.seed),
        size=lookup(dpath="synthesis/output_size", within=config),
        noise=lookup(dpath="synthesis/generator/noise", within=config),
    script:
        "../scripts/sample_generator.py"


ruleorder: convert_generator > train_generator


rule train_dcgan:
    input:
        exemplar=place("exemplar"),
    output:
        generator=place("trained", method="dcgan", maker="dcgan", layers="all"),
        trace=place("training", method="dcgan", maker="dcgan", layers="all"),
    log:
        log_of("train_dcgan", "synthesis/{texture}/{trained}.safetensors"),
    benchmark:
        times_of("train_dcgan", "synthesis/{texture}/{trained}.safetensors")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        code=program("train_dcgan"),
        name=named,
        settings=lookup(dpath="synthesis/dcgan", within=config),
    script:
        "../scripts/train_dcgan.py"


rule sample_dcgan:
    input:
        generator=place(
            "trained", method="dcgan", maker="dcgan", layers="all", trained=SYNTHESIS["generator"]["seed"]
        ),
        exemplar=place("exemplar"),
    output:
        image=place("synthetic", method="dcgan", maker="dcgan", layers="all"),
    log:
        f"{STUDY}/logs/sample_dcgan/{{texture}}/seed{{seed}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("sample_dcgan"),
        name=named,
        seed=lambda wildcards: int(wildcards.seed),
        size=lookup(dpath="synthesis/output_size", within=config),
    script:
        "../scripts/sample_dcgan.py"
