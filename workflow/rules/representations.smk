rule compute_sliced:
    input:
        images=place("images"),
        weights=weights_file,
    output:
        place("sliced"),
    log:
        log_of("compute_sliced", "sliced"),
    benchmark:
        times_of("compute_sliced", "sliced")
    conda:
        "../../envs/texalign.yaml"
    threads: half_of_the_cores
    resources:
        gpu=int(config["device"] != "cpu"),
        device=lookup(dpath="device", within=config),
    params:
        code=program("compute_sliced"),
        entry=recipe_of,
        maps=lambda wildcards: paths.taken(wildcards.maps),
        precision=lookup(dpath="precision", within=config),
        convolutions=lookup(dpath="convolutions", within=config),
        sliced=lookup(dpath="representations/sliced", within=config),
    script:
        "../scripts/compute_sliced.py"


rule compare_representation:
    input:
        clusters=place("clusters"),
        gram=place("clusters", representation="gram"),
        rdms=lambda wildcards: rdms_of(
            [wildcards.network], {"maps": wildcards.maps, "representation": "gram"}
        ),
    output:
        place("beside_gram"),
    log:
        log_of("compare_representation", "beside_gram"),
    benchmark:
        times_of("compare_representation", "beside_gram")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("compare_representation"),
        origin=origin_of("measure_information"),
        repeats=lookup(dpath="mutual_information/permutations", within=config),
        seed=lookup(dpath="mutual_information/seed", within=config),
    script:
        "../scripts/compare_representation.py"


rule join_representations:
    input:
        information=represented("information", MEASURED),
        beside=represented("beside_gram", MEASURED),
    output:
        f"{STUDY}/representations.csv",
    log:
        log_of("join_representations"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_representations"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(models, MEASURED),
        controls=lookup(dpath="controls", within=config),
    script:
        "../scripts/join_representations.py"


rule plot_representations:
    input:
        table=rules.join_representations.output[0],
    output:
        pdf=f"{STUDY}/figures/representations.pdf",
        png=report(
            f"{STUDY}/figures/representations.png",
            caption="../report/representations.rst",
            category="Mutual information",
            labels={"figure": "by representation"},
        ),
    log:
        log_of("plot_representations"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_representations"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_representations"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_representations.py"


rule representations:
    input:
        rules.plot_representations.output,
