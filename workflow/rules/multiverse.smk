rule join_specifications:
    input:
        by_k=tables_by_k(NETWORKS),
    output:
        networks=f"{STUDY}/multiverse/networks.csv",
        correlations=f"{STUDY}/multiverse/correlations.csv",
        mean=f"{STUDY}/multiverse/mean.csv",
        null=f"{STUDY}/multiverse/null.csv",
        effects=f"{STUDY}/multiverse/choices.csv",
    log:
        log_of("join_specifications"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_specifications"),
        origin=lambda wildcards: origin(tuple(NETWORKS), "join_information"),
        specifications=places_by_k(NETWORKS),
        scores={network: SCORES.values[network] for network in SCORED},
        metrics=SCORES.metrics,
        pairs=pairs_of("position"),
        samples=lookup(dpath="correlation/samples", within=config),
        seed=lookup(dpath="correlation/seed", within=config),
    script:
        "../scripts/join_specifications.py"


rule plot_specifications:
    input:
        networks=rules.join_specifications.output.networks,
        correlations=rules.join_specifications.output.correlations,
        mean=rules.join_specifications.output.mean,
        null=rules.join_specifications.output.null,
        effects=rules.join_specifications.output.effects,
    output:
        pdf=f"{STUDY}/figures/multiverse.pdf",
        png=report(
            f"{STUDY}/figures/multiverse.png",
            caption="../report/multiverse.rst",
            category="Variants",
            subcategory="all",
            labels={"figure": "specification curve"},
        ),
    log:
        log_of("plot_specifications"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_specifications"),
        origin=lambda wildcards: origin(tuple(NETWORKS), "plot_specifications"),
    script:
        "../scripts/plot_specifications.py"


rule multiverse:
    input:
        rules.plot_specifications.output if SPECIFICATIONS else [],


rule variants:
    input:
        expand(rules.plot_variant.output.brainscore_png, variant=VARIANTS),
        expand(rules.compare_variant.output, variant=VARIANTS if PUBLISHED else []),
        rules.multiverse.input,
