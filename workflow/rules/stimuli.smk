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
        textures=generators.classes(config, TEXTURES),
        choices=lookup(dpath="synthesis/stimuli", within=config),
    script:
        "../scripts/pack_stimuli.py"


rule stimuli:
    input:
        rules.pack_stimuli.output,
