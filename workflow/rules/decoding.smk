rule decode_classes:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
        official=official_splits,
        labels=own_labels,
    output:
        place("decoded"),
    log:
        log_of("decode_classes", "decoded"),
    benchmark:
        times_of("decode_classes", "decoded")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("decode_classes"),
        origin=origin_of("grow_trees"),
        labels=own_files.digest(config["decoding"]["labels"], HASHES),
        splits=lookup(dpath="decoding/splits", within=config),
        rank=lookup(dpath="decoding/rank", within=config),
        seed=lookup(dpath="decoding/seed", within=config),
    script:
        "../scripts/decode_classes.py"


rule join_decoding:
    input:
        decoded=[found_for("decoded", name) for name in [*MEASURED, *BASELINES]],
    output:
        f"{STUDY}/decoding.csv",
    log:
        log_of("join_decoding"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_decoding"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(ENTRIES, [*MEASURED, *BASELINES]),
        controls=lookup(dpath="controls", within=config),
    script:
        "../scripts/join_decoding.py"


rule plot_decoding:
    input:
        table=rules.join_decoding.output[0],
    output:
        pdf=f"{STUDY}/figures/decoding.pdf",
        png=report(
            f"{STUDY}/figures/decoding.png",
            caption="../report/decoding.rst",
            category="Decoding",
            labels={"figure": "accuracy by layer"},
        ),
    log:
        log_of("plot_decoding"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_decoding"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_decoding"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_decoding.py"


rule decoding:
    input:
        rules.plot_decoding.output,
