# Textures that are listed together are made by one job for each network, seed and series, in common
# forward passes. The job leaves a folder, from which each image is taken as if it had been made alone.


rule synthesize_batch:
    input:
        exemplars=exemplars_together,
        weights=weights_file,
        activations=activations_file,
        library=library(
            "descent",
            "gatys",
            "gram",
            "losses",
            "networks",
            "procedural",
            "store",
            "synthesis",
            "textures",
            script="synthesize_texture",
        ),
    output:
        temp(directory(f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.batch")),
    log:
        f"{STUDY}/logs/synthesize_batch/{{texture}}/{{run}}{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/synthesize_batch/{{texture}}/{{run}}{{network}}.tsv"
    wildcard_constraints:
        texture="|".join(BATCHES) or "(?!)",
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    resources:
        gpu=int(SYNTHESIS_DEVICE != "cpu"),
        device=SYNTHESIS_DEVICE,
        checkpoint_every=lookup(dpath="synthesis/checkpoint_every", within=config),
    params:
        names=names_together,
        recipe=synthesis_recipe,
    script:
        "../scripts/synthesize_texture.py"


rule take_texture:
    input:
        batch=batch_folder,
        # Not read. After a batch that failed, an older image knows by them that it is out of date.
        exemplar=f"{STUDY}/synthesis/{{texture}}/exemplar.png",
        weights=weights_file,
        activations=activations_file,
        library=rules.synthesize_batch.input.library,
    output:
        image=f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.png",
        trace=f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.csv",
    log:
        f"{STUDY}/logs/take_texture/{{texture}}/{{run}}{{network}}.log",
    wildcard_constraints:
        texture=BATCHED or "(?!)",
        network=MAKER,
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        name=texture_name,
        recipe=synthesis_recipe,
    shell:
        "cp {input.batch}/{wildcards.texture}.png {output.image} 2> {log} && "
        "cp {input.batch}/{wildcards.texture}.csv {output.trace} 2>> {log}"
