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
        log_of("train_generator", "synthesis/{texture}/{maker}/{layers}/trained{trained}.safetensors"),
    benchmark:
        times_of("train_generator", "synthesis/{texture}/{maker}/{layers}/trained{trained}.safetensors")
    wildcard_constraints:
        maker=generators.OWN,
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
        model=published_file,
    output:
        place("trained", method="generator", maker=synthesis.PUBLISHED, layers="all"),
    log:
        log_of("convert_generator", "synthesis/{texture}/trained{trained}.safetensors"),
    conda:
        "../../envs/torch7.yaml"
    params:
        code=program("convert_generator"),
    script:
        "../scripts/convert_generator.py"


rule train_dcgan:
    input:
        exemplar=place("exemplar"),
    output:
        generator=place("trained", method="dcgan", maker=synthesis.DCGAN, layers="all"),
        trace=place("training", method="dcgan", maker=synthesis.DCGAN, layers="all"),
    log:
        log_of("train_dcgan", "synthesis/{texture}/trained{trained}.safetensors"),
    benchmark:
        times_of("train_dcgan", "synthesis/{texture}/trained{trained}.safetensors")
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


rule sample_generator:
    input:
        generator=place("trained", trained=TRAINED),
        exemplar=place("exemplar"),
    output:
        place("synthetic"),
    log:
        log_of("sample_generator", "synthetic"),
    wildcard_constraints:
        method="|".join(synthesis.TRAINED),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("sample_generator"),
        name=named,
        size=lookup(dpath="synthesis/output_size", within=config),
        noise=lookup(dpath="synthesis/generator/noise", within=config),
    script:
        "../scripts/sample_generator.py"


# Many samples of a generator in one job, with their losses.
rule sample_stimuli:
    input:
        generator=place("trained", trained=TRAINED),
        exemplar=place("exemplar"),
        weights=judge_weights,
        activations=judge_activations,
    output:
        samples=place("samples"),
        sheet=report(
            place("sample_sheet"),
            caption="../report/samples.rst",
            category="Synthetic textures",
            subcategory="samples",
            labels={"figure": "{texture}, {method}, {maker}"},
        ),
    log:
        log_of("sample_stimuli", "samples"),
    wildcard_constraints:
        method="|".join(synthesis.TRAINED),
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        code=program("sample_stimuli", LOSS),
        recipe=judge_recipe,
        samples=generators.samples(config),
        size=lookup(dpath="synthesis/output_size", within=config),
        noise=lookup(dpath="synthesis/generator/noise", within=config),
    script:
        "../scripts/sample_stimuli.py"


rule generators:
    input:
        generators_targets,


rule samples:
    input:
        samples_targets,
