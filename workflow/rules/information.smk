rule measure_information:
    input:
        clusters=place("clusters"),
    output:
        place("information"),
    log:
        log_of("measure_information", "information"),
    benchmark:
        times_of("measure_information", "information")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("measure_information"),
        origin=origin_of("measure_information"),
        k=lookup(dpath="clustering/k", within=config),
        permutations=lookup(dpath="mutual_information/permutations", within=config),
        seed=lookup(dpath="mutual_information/seed", within=config),
    script:
        "../scripts/measure_information.py"


rule join_information:
    input:
        information=expand(chosen("information"), network=MEASURED),
    output:
        f"{STUDY}/mutual_information.csv",
    log:
        log_of("join_information"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_information"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(models, MEASURED),
        controls=lookup(dpath="controls", within=config),
        readout=lookup(dpath="readout", within=config),
        clustering=lookup(dpath="clustering/on", within=config),
    script:
        "../scripts/join_information.py"


rule mutual_information:
    input:
        rules.join_information.output,
