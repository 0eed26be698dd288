rule correlate_scores:
    input:
        information=rules.join_information.output[0],
    output:
        correlation=f"{STUDY}/brainscore_correlation.csv",
        networks=f"{STUDY}/brainscore_networks.csv",
    log:
        log_of("correlate_scores"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("correlate_scores"),
        origin=lambda wildcards: origin(tuple(MEASURED), "correlate_scores"),
        scores={network: SCORES[network] for network in NETWORKS if network in SCORES},
        table=lookup(dpath="brainscore", within=config),
    script:
        "../scripts/correlate_scores.py"


rule alignment:
    input:
        rules.correlate_scores.output,


rule aggregate:
    input:
        information=rules.join_information.output[0],
        second_order=chosen("second_order"),
        correlation=rules.correlate_scores.output.correlation,
        networks=rules.correlate_scores.output.networks,
    output:
        rdms=f"{STUDY}/rdms.h5",
        summary=f"{STUDY}/summary.csv",
    log:
        log_of("aggregate"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("aggregate"),
        origin=lambda wildcards: origin(tuple(MEASURED), "aggregate"),
        second_order=lookup(dpath="second_order", within=config),
    script:
        "../scripts/aggregate.py"
