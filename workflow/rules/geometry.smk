rule compute_rdm:
    input:
        gram=f"{STUDY}/gram/{{readout}}/{{network}}.h5",
        library=library("geometry", "store", script="compute_rdm"),
    output:
        f"{STUDY}/rdm/{{readout}}/{{network}}/{{layer}}.h5",
    log:
        f"{STUDY}/logs/compute_rdm/{{readout}}/{{network}}/{{layer}}.log",
    benchmark:
        f"{STUDY}/benchmarks/compute_rdm/{{readout}}/{{network}}/{{layer}}.tsv"
    # Before the next network's Gram matrices: these are still in memory then, and not read from the disk.
    priority: 1
    conda:
        "../../envs/texalign.yaml"
    threads: half_of_the_cores
    params:
        origin=lambda wildcards: origin(wildcards.network),
    script:
        "../scripts/compute_rdm.py"


rule grow_tree:
    input:
        rdm=f"{STUDY}/rdm/{{readout}}/{{network}}/{{layer}}.h5",
        library=library("geometry", "store", script="grow_tree"),
    output:
        f"{STUDY}/clusters/{{readout}}/{{clustering}}/{{network}}/{{layer}}.h5",
    log:
        f"{STUDY}/logs/grow_tree/{{readout}}/{{clustering}}/{{network}}/{{layer}}.log",
    benchmark:
        f"{STUDY}/benchmarks/grow_tree/{{readout}}/{{clustering}}/{{network}}/{{layer}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(wildcards.network),
    script:
        "../scripts/grow_tree.py"


rule cut_trees:
    input:
        trees=lambda wildcards: per_layer(
            f"{STUDY}/clusters/{wildcards.readout}/{wildcards.clustering}/{{network}}/{{layer}}.h5",
            [wildcards.network],
        ),
        library=library("geometry", "store", script="cut_trees"),
    output:
        f"{STUDY}/clusters/{{readout}}/{{clustering}}/{{network}}.h5",
    log:
        f"{STUDY}/logs/cut_trees/{{readout}}/{{clustering}}/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/cut_trees/{{readout}}/{{clustering}}/{{network}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(wildcards.network),
        k=lookup(dpath="clustering/k", within=config),
    script:
        "../scripts/cut_trees.py"


rule compare_rdms:
    input:
        rdms=per_layer(f"{STUDY}/rdm/{READOUT}/{{network}}/{{layer}}.h5", NETWORKS),
        library=library("geometry", "store", script="compare_rdms"),
    output:
        f"{STUDY}/rdm/{READOUT}/second_order.h5",
    log:
        f"{STUDY}/logs/compare_rdms.log",
    benchmark:
        f"{STUDY}/benchmarks/compare_rdms.tsv"
    conda:
        "../../envs/texalign.yaml"
    threads: 4
    params:
        origin=lambda wildcards: origin(*NETWORKS),
        metric=lookup(dpath="second_order/metric", within=config),
        correlation=lookup(dpath="second_order/correlation", within=config),
    script:
        "../scripts/compare_rdms.py"


rule rdms:
    input:
        per_layer(f"{STUDY}/rdm/{READOUT}/{{network}}/{{layer}}.h5", MEASURED),


rule clusters:
    input:
        expand(f"{STUDY}/clusters/{READOUT}/{CLUSTERING}/{{network}}.h5", network=MEASURED),
