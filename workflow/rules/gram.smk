rule decode_images:
    input:
        folder=image_folder,
        library=library("procedural", "store", "textures", script="decode_images"),
    output:
        f"{STUDY}/images.h5",
    log:
        f"{STUDY}/logs/decode_images.log",
    benchmark:
        f"{STUDY}/benchmarks/decode_images.tsv"
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    params:
        dataset=lookup(dpath="dataset", within=config),
        size=lookup(dpath="image/size", within=config),
        listing=lambda wildcards: image_listing(),
    script:
        "../scripts/decode_images.py"


rule compute_gram:
    input:
        images=f"{STUDY}/images.h5",
        weights=weights_file,
        library=library("gram", "networks", "store", "winograd", "winograd_kernels", script="compute_gram"),
    output:
        f"{STUDY}/gram/{{readout}}/{{network}}.h5",
    log:
        f"{STUDY}/logs/compute_gram/{{readout}}/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/compute_gram/{{readout}}/{{network}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    threads: half_of_the_cores
    resources:
        gpu=1,
        device=lookup(dpath="device", within=config),
    params:
        entry=lambda wildcards: network_entry(models[wildcards.network]),
        precision=lookup(dpath="precision", within=config),
    script:
        "../scripts/compute_gram.py"


rule list_layers:
    input:
        library=library("networks", script="list_layers"),
    output:
        "results/layers/{network}.tsv",
    log:
        "results/layers/{network}.log",
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        entry=table_entry,
        size=lookup(dpath="image/size", within=config),
    script:
        "../scripts/list_layers.py"


rule gram:
    input:
        expand(f"{STUDY}/gram/{READOUT}/{{network}}.h5", network=MEASURED),
