rule pack_stimuli:
    input:
        exemplars=expand(place("exemplar"), texture=TEXTURES),
        images=STIMULI["images"],
        samples=STIMULI["samples"],
    output:
        pack=f"{STUDY}/stimuli.zip",
        sheet=report(
            f"{STUDY}/figures/synthesis/stimuli.png",
            caption="../report/stimuli.rst",
            category="Synthetic textures",
            labels={"figure": "a pack of stimuli"},
        ),
    log:
        log_of("pack_stimuli"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("pack_stimuli"),
        textures=generators.classes(config, TEXTURES),
        labels={maker: LABELS[maker] for maker in EVERY_MAKER},
        choices=lookup(dpath="synthesis/stimuli", within=config),
    script:
        "../scripts/pack_stimuli.py"


rule stimuli:
    input:
        rules.pack_stimuli.output,
