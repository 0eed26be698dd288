rule join_variant:
    input:
        information=lambda wildcards: information_of(choices_of(wildcards), MEASURED),
    output:
        place("variant_information"),
    log:
        log_of("join_variant", "variant_information"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_information"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(models, MEASURED),
        controls=lookup(dpath="controls", within=config),
        readout=lambda wildcards: choices_of(wildcards)["readout"],
        clustering=lambda wildcards: choices_of(wildcards)["clustering"],
        k=lambda wildcards: choices_of(wildcards)["k"],
    script:
        "../scripts/join_information.py"


rule correlate_variant:
    input:
        information=rules.join_variant.output[0],
    output:
        correlation=place("variant_correlation"),
        networks=place("variant_networks"),
        uncertainty=place("variant_uncertainty"),
    log:
        log_of("correlate_variant", "variant_correlation"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("correlate_scores"),
        origin=lambda wildcards: origin(tuple(MEASURED), "correlate_scores"),
        scores={network: SCORES.values[network] for network in SCORED},
        metrics=SCORES.metrics,
        counts={network: SCORES.counts[network] for network in SCORED},
        pairs=lambda wildcards: pairs_of(choices_of(wildcards)["join"]),
        k=lambda wildcards: choices_of(wildcards)["k"],
        table=lookup(dpath="brainscore", within=config),
        samples=lookup(dpath="correlation/samples", within=config),
        seed=lookup(dpath="correlation/seed", within=config),
    script:
        "../scripts/correlate_scores.py"


rule compare_variant:
    input:
        correlation=rules.correlate_variant.output.correlation,
    output:
        place("variant_published"),
    log:
        log_of("compare_variant", "variant_published"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("compare_published"),
        origin=lambda wildcards: origin(tuple(MEASURED), "compare_published"),
        published=PUBLISHED,
    script:
        "../scripts/compare_published.py"


rule plot_variant:
    input:
        information=rules.join_variant.output[0],
        networks=rules.correlate_variant.output.networks,
        correlation=rules.correlate_variant.output.correlation,
    output:
        information=f"{STUDY}/variants/{{variant}}/figures/mutual_information.pdf",
        information_png=report(
            f"{STUDY}/variants/{{variant}}/figures/mutual_information.png",
            caption="../report/variant.rst",
            category="Variants",
            subcategory="{variant}",
            labels={"figure": "mutual information by layer"},
        ),
        brainscore=f"{STUDY}/variants/{{variant}}/figures/brainscore.pdf",
        brainscore_png=report(
            f"{STUDY}/variants/{{variant}}/figures/brainscore.png",
            caption="../report/variant.rst",
            category="Variants",
            subcategory="{variant}",
            labels={"figure": "best layer against scores"},
        ),
    log:
        log_of("plot_variant", "variant_correlation"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_variant"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_variant"),
        study=escape(STUDY_NETWORKS),
        k=lambda wildcards: choices_of(wildcards)["k"],
    script:
        "../scripts/plot_variant.py"
