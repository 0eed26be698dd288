rule score_texture:
    input:
        exemplar=f"{STUDY}/synthesis/{{texture}}/exemplar.png",
        images=images_of,
        weights=weights_file,
        activations=activations_file,
        file=exemplar_file,
        folder=class_folder,
        library=library(
            "descent",
            "gatys",
            "gram",
            "losses",
            "networks",
            "procedural",
            "scores",
            "store",
            "synthesis",
            "textures",
            script="score_texture",
        ),
    output:
        f"{STUDY}/synthesis/{{texture}}/scores/{{network}}.csv",
    log:
        f"{STUDY}/logs/score_texture/{{texture}}/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/score_texture/{{texture}}/{{network}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
    params:
        name=texture_name,
        entry=lambda wildcards: network_entry(models[wildcards.network]),
        loss=synthesis_loss,
        dataset=class_dataset,
        class_images=lookup(dpath="synthesis/class_images", within=config),
    script:
        "../scripts/score_texture.py"


rule score_statistics:
    input:
        exemplar=f"{STUDY}/synthesis/{{texture}}/exemplar.png",
        images=images_of,
        folder=class_folder,
        library=library(
            "descent",
            "gram",
            "losses",
            "networks",
            "portilla_simoncelli",
            "procedural",
            "synthesis",
            "textures",
            script="score_statistics",
        ),
    output:
        f"{STUDY}/synthesis/{{texture}}/{BASELINE}/distances.csv",
    log:
        f"{STUDY}/logs/score_statistics/{{texture}}.log",
    benchmark:
        f"{STUDY}/benchmarks/score_statistics/{{texture}}.tsv"
    conda:
        "../../envs/plenoptic.yaml"
    params:
        name=texture_name,
        dataset=class_dataset,
        class_images=lookup(dpath="synthesis/class_images", within=config),
        has_plenoptic=HAS_PLENOPTIC,
    script:
        "../scripts/score_statistics.py"


rule join_scores:
    input:
        losses=expand(
            f"{STUDY}/synthesis/{{texture}}/scores/{{network}}.csv",
            texture=TEXTURES,
            network=SYNTHESISERS,
        ),
        distances=expand(f"{STUDY}/synthesis/{{texture}}/{BASELINE}/distances.csv", texture=TEXTURES),
        library=library(script="join_scores"),
    output:
        f"{STUDY}/synthesis/scores.csv",
    log:
        f"{STUDY}/logs/join_scores.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/join_scores.py"
