rule decode_images:
    input:
        folder=image_folder,
    output:
        place("images"),
    log:
        log_of("decode_images"),
    benchmark:
        times_of("decode_images")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    params:
        code=program("decode_images"),
        dataset=lookup(dpath="dataset", within=config),
        size=lookup(dpath="image/size", within=config),
        resize=lookup(dpath="image/resize", within=config),
        listing=lambda wildcards: listing(),
    script:
        "../scripts/decode_images.py"


rule compute_gram:
    input:
        images=place("images"),
        weights=weights_file,
    output:
        place("gram") if config["keep"]["grams"] else temp(place("gram")),
    log:
        log_of("compute_gram", "gram"),
    benchmark:
        times_of("compute_gram", "gram")
    conda:
        "../../envs/texalign.yaml"
    threads: half_of_the_cores
    resources:
        gpu=int(config["device"] != "cpu"),
        device=lookup(dpath="device", within=config),
    params:
        code=program("compute_gram"),
        entry=recipe_of,
        maps=lambda wildcards: paths.taken(wildcards.maps),
        precision=lookup(dpath="precision", within=config),
        convolutions=lookup(dpath="convolutions", within=config),
    script:
        "../scripts/compute_gram.py"


rule list_layers:
    output:
        "results/layers/{network}.tsv",
    log:
        "results/layers/{network}.log",
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("list_layers"),
        entry=known_entry,
        size=lookup(dpath="image/size", within=config),
    script:
        "../scripts/list_layers.py"


rule gram:
    input:
        expand(chosen("gram"), network=MEASURED),
