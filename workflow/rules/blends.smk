rule blend_textures:
    input:
        exemplars=blend_exemplars,
        weights=weights_file,
        activations=activations_file,
    output:
        images=place("blend"),
        strip=report(
            place("blend_strip"),
            caption="../report/blend.rst",
            category="Synthetic textures",
            subcategory="blends",
            labels={"figure": "{blend}, {maker}, seed {seed}"},
        ),
    log:
        log_of("blend_textures", "blend"),
    benchmark:
        times_of("blend_textures", "blend")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        code=program("blend_textures", LOSS),
        blend=blend_of,
        recipe=synthesis_recipe,
    script:
        "../scripts/blend_textures.py"


rule blends:
    input:
        blends_targets,
