rule prepare_content:
    input:
        file=content_file,
    output:
        place("content"),
    log:
        log_of("prepare_content", "content"),
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("prepare_exemplar"),
        recipe=content_recipe,
    script:
        "../scripts/prepare_exemplar.py"


rule stylise_image:
    input:
        exemplar=place("exemplar"),
        content=place("content"),
        weights=weights_file,
        activations=activations_file,
    output:
        image=place("stylised", method=generators.TRANSFER),
        trace=place("stylised_trace", method=generators.TRANSFER),
    log:
        log_of("stylise_image", "synthesis/{texture}/{maker}/{layers}/{content}/seed{seed}.png"),
    benchmark:
        times_of("stylise_image", "synthesis/{texture}/{maker}/{layers}/{content}/seed{seed}.png")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        code=program("stylise_image", LOSS),
        name=named,
        recipe=transfer_recipe,
    script:
        "../scripts/stylise_image.py"


rule train_style:
    input:
        exemplar=place("exemplar"),
        contents=expand(place("content"), content=POOL),
        weights=weights_file,
        activations=activations_file,
    output:
        generator=place("trained", method=generators.STYLE),
        trace=place("training", method=generators.STYLE),
        sheet=place("sheet", method=generators.STYLE),
    log:
        log_of("train_style", "synthesis/{texture}/{maker}/{layers}/trained{trained}.safetensors"),
    benchmark:
        times_of("train_style", "synthesis/{texture}/{maker}/{layers}/trained{trained}.safetensors")
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
        recipe=style_recipe,
    script:
        "../scripts/train_generator.py"


# A style's generator that its authors published: its normalisation is taken from the contents.
rule convert_style:
    input:
        model=published_style,
        contents=expand(place("content"), content=STYLED),
    output:
        place("trained", method=generators.STYLE, maker=synthesis.PUBLISHED, layers="all"),
    log:
        log_of("convert_style", "synthesis/{texture}/trained{trained}.safetensors"),
    conda:
        "../../envs/torch7.yaml"
    params:
        code=program("convert_generator"),
    script:
        "../scripts/convert_generator.py"


rule sample_style:
    input:
        generator=place("trained", method=generators.STYLE, trained=TRAINED),
        content=place("content"),
    output:
        place("stylised", method=generators.STYLE),
    log:
        log_of("sample_style", "synthesis/{texture}/{maker}/{layers}/{content}/seed{seed}.png"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("sample_generator"),
        name=named,
        noise=lookup(dpath="synthesis/transfer/noise", within=config),
    script:
        "../scripts/sample_generator.py"


rule plot_transfer:
    input:
        exemplars=expand(place("exemplar"), texture=TEXTURES),
        contents=expand(place("content"), content=STYLED),
        images=stylised_images,
    output:
        pdf=f"{STUDY}/figures/synthesis/transfer/seed{{seed}}.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/transfer/seed{{seed}}.png",
            caption="../report/transfer.rst",
            category="Synthetic textures",
            subcategory="style transfer",
            labels={"figure": "styles on contents, seed {seed}"},
        ),
    log:
        f"{STUDY}/logs/plot_transfer/seed{{seed}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_transfer"),
        contents=STYLED,
        rows=STYLE_ROWS,
    script:
        "../scripts/plot_transfer.py"


rule transfer:
    input:
        transfer_targets,
