rule compute_rdm:
    input:
        rows=rows_file,
    output:
        place("rdm"),
    log:
        log_of("compute_rdm", "rdm"),
    benchmark:
        times_of("compute_rdm", "rdm")
    wildcard_constraints:
        maps=paths.OF_NETWORKS,
    # Before the next network's Gram matrices: these are still in memory then, and not read from the disk.
    priority: 1
    conda:
        "../../envs/texalign.yaml"
    threads: half_of_the_cores
    params:
        code=program("compute_rdm"),
        origin=origin_of("compute_rdm"),
    script:
        "../scripts/compute_rdm.py"


rule grow_trees:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
    output:
        place("clusters"),
    log:
        log_of("grow_trees", "clusters"),
    benchmark:
        times_of("grow_trees", "clusters")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("grow_trees"),
        origin=origin_of("grow_trees"),
        k=lookup(dpath="clustering/k", within=config),
    script:
        "../scripts/grow_trees.py"


rule compare_rdms:
    input:
        rdms=lambda wildcards: rdms_of(NETWORKS, wildcards),
        controls=lambda wildcards: rdms_of(config["controls"], wildcards),
    output:
        place("second_order"),
    log:
        log_of("compare_rdms", "second_order"),
    benchmark:
        times_of("compare_rdms", "second_order")
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    params:
        code=program("compare_rdms"),
        origin=lambda wildcards: origin(tuple(MEASURED), "grow_trees"),
        metric=lookup(dpath="second_order/metric", within=config),
        correlation=lookup(dpath="second_order/correlation", within=config),
        pairs=lookup(dpath="second_order/pairs", within=config),
        seed=lookup(dpath="second_order/seed", within=config),
    script:
        "../scripts/compare_rdms.py"


rule rdms:
    input:
        rdms_of(MEASURED),


rule clusters:
    input:
        expand(chosen("clusters"), network=MEASURED),
