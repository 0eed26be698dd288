rule score_texture:
    input:
        exemplar=place("exemplar"),
        images=images_of,
        weights=weights_file,
        activations=activations_file,
        file=exemplar_file,
        folder=class_folder,
    output:
        place("losses"),
    log:
        log_of("score_texture", "losses"),
    benchmark:
        times_of("score_texture", "losses")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        code=program("score_texture", LOSS),
        exemplar=exemplar_recipe,
        entry=recipe_of,
        loss=synthesis.loss(config, SYNTHESIS["layers"]),
        dataset=class_dataset,
        class_images=lookup(dpath="synthesis/class_images", within=config),
    script:
        "../scripts/score_texture.py"


rule score_statistics:
    input:
        exemplar=place("exemplar"),
        images=images_of,
        folder=class_folder,
    output:
        place("distances"),
    log:
        log_of("score_statistics", "distances"),
    benchmark:
        times_of("score_statistics", "distances")
    conda:
        "../../envs/plenoptic.yaml"
    params:
        code=program("score_statistics"),
        name=named,
        dataset=class_dataset,
        class_images=lookup(dpath="synthesis/class_images", within=config),
        has_plenoptic=HAS_PLENOPTIC,
    script:
        "../scripts/score_statistics.py"


rule join_scores:
    input:
        losses=expand(place("losses"), texture=TEXTURES, network=SYNTHESISERS),
        distances=expand(place("distances"), texture=TEXTURES),
    output:
        f"{STUDY}/synthesis/scores.csv",
    log:
        log_of("join_scores"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_scores"),
    script:
        "../scripts/join_scores.py"
