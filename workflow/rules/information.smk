rule measure_information:
    input:
        clusters=place("clusters"),
    output:
        information=place("information"),
        by_k=place("by_k"),
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
        simulations=lookup(dpath="mutual_information/simulations", within=config),
        largest_k=lookup(dpath="mutual_information/largest_k", within=config),
    script:
        "../scripts/measure_information.py"


rule cluster_halves:
    input:
        clusters=place("clusters"),
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
    output:
        place("halves"),
    log:
        log_of("cluster_halves", "information"),
    benchmark:
        times_of("cluster_halves", "information")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("cluster_halves"),
        origin=origin_of("measure_information"),
        halves=lookup(dpath="mutual_information/halves", within=config),
        seed=lookup(dpath="mutual_information/seed", within=config),
    script:
        "../scripts/cluster_halves.py"


rule describe_classes:
    input:
        clusters=place("clusters"),
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
    output:
        labels=place("labels"),
        confusions=place("confusions"),
        classes=place("classes"),
    log:
        log_of("describe_classes", "classes"),
    benchmark:
        times_of("describe_classes", "classes")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("describe_classes"),
        origin=origin_of("measure_information"),
    script:
        "../scripts/describe_classes.py"


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


rule join_statistics:
    input:
        by_k=expand(chosen("by_k"), network=MEASURED),
        halves=expand(chosen("halves"), network=MEASURED),
        classes=expand(chosen("classes"), network=MEASURED),
        confusions=expand(chosen("confusions"), network=MEASURED),
        clusters=expand(chosen("clusters"), network=MEASURED),
    output:
        by_k=f"{STUDY}/information_by_k.csv",
        halves=f"{STUDY}/information_of_halves.csv",
        classes=f"{STUDY}/classes.csv",
        confusions=f"{STUDY}/confusions.csv",
        clusters=f"{STUDY}/clusters.csv",
    log:
        log_of("join_statistics"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_statistics"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(models, MEASURED),
    script:
        "../scripts/join_statistics.py"


rule mutual_information:
    input:
        rules.join_information.output,
