rule aggregate:
    input:
        information=expand(f"{STUDY}/information/{READOUT}/{CLUSTERING}/{{network}}.csv", network=MEASURED),
        second_order=f"{STUDY}/rdm/{READOUT}/second_order.h5",
        scores=from_checkout(config["brainscore"], "brainscore"),
        library=library("alignment", "brainscore", "store", script="aggregate"),
    output:
        information=f"{STUDY}/mutual_information.csv",
        rdms=f"{STUDY}/rdms.h5",
        correlation=f"{STUDY}/brainscore_correlation.csv",
        networks=f"{STUDY}/brainscore_networks.csv",
    log:
        f"{STUDY}/logs/aggregate.log",
    benchmark:
        f"{STUDY}/benchmarks/aggregate.tsv"
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(*MEASURED),
        k=lookup(dpath="clustering/k", within=config),
        mutual_information=lookup(dpath="mutual_information", within=config),
        second_order=lookup(dpath="second_order", within=config),
        names=network_names(MEASURED),
        controls=lookup(dpath="controls", within=config),
        readout=READOUT,
        clustering=CLUSTERING,
    script:
        "../scripts/aggregate.py"


rule alignment:
    input:
        f"{STUDY}/brainscore_correlation.csv",
