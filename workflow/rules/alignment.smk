rule correlate_scores:
    input:
        information=rules.join_information.output[0],
    output:
        correlation=f"{STUDY}/brainscore_correlation.csv",
        networks=f"{STUDY}/brainscore_networks.csv",
        uncertainty=f"{STUDY}/brainscore_uncertainty.csv",
    log:
        log_of("correlate_scores"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("correlate_scores"),
        origin=lambda wildcards: origin(tuple(MEASURED), "correlate_scores"),
        scores={network: SCORES.values[network] for network in SCORED},
        metrics=SCORES.metrics,
        counts={network: SCORES.counts[network] for network in SCORED},
        pairs=pairs_of(config["join"]),
        k=None,
        table=lookup(dpath="brainscore", within=config),
        samples=lookup(dpath="correlation/samples", within=config),
        seed=lookup(dpath="correlation/seed", within=config),
    script:
        "../scripts/correlate_scores.py"


rule compare_published:
    input:
        correlation=rules.correlate_scores.output.correlation,
    output:
        f"{STUDY}/published.csv",
    log:
        log_of("compare_published"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("compare_published"),
        origin=lambda wildcards: origin(tuple(MEASURED), "compare_published"),
        published=PUBLISHED,
    script:
        "../scripts/compare_published.py"


rule alignment:
    input:
        rules.correlate_scores.output,
        rules.compare_published.output if PUBLISHED else [],


rule aggregate:
    input:
        information=rules.join_information.output[0],
        second_order=chosen("second_order"),
        correlation=rules.correlate_scores.output.correlation,
        networks=rules.correlate_scores.output.networks,
        human=rules.join_people.output.agreement if REFERENCES else [],
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


rule plot_published:
    input:
        published=rules.compare_published.output[0],
    output:
        pdf=f"{STUDY}/figures/published.pdf",
        png=report(
            f"{STUDY}/figures/published.png",
            caption="../report/published.rst",
            category="Brain-Score",
            labels={"figure": "published against this study"},
        ),
    log:
        log_of("plot_published"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_published"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_published"),
    script:
        "../scripts/plot_published.py"
