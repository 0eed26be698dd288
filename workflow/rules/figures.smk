rule plot_network:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network]),
        clusters=chosen("clusters"),
        information=chosen("information"),
    output:
        rdms=report(
            directory(f"{STUDY}/figures/rdm/{{network}}"),
            patterns=["{layer}.png"],
            caption="../report/rdm.rst",
            category="Dissimilarity matrices",
            subcategory="{network}",
            labels={"network": "{network}", "layer": "{layer}"},
        ),
        pdf=f"{STUDY}/figures/clusters/{{network}}.pdf",
        png=report(
            f"{STUDY}/figures/clusters/{{network}}.png",
            caption="../report/cluster_composition.rst",
            category="Clusters",
            labels={"network": "{network}", "figure": "classes by clusters"},
        ),
    log:
        f"{STUDY}/logs/plot_network/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_network"),
        origin=origin_of("plot_network"),
        metric=lookup(dpath="figures/rdm_metric", within=config),
        label=lambda wildcards: LABELS[wildcards.network],
    script:
        "../scripts/plot_network.py"


rule plot_study:
    input:
        information=rules.join_information.output[0],
        rdms=rules.aggregate.output.rdms,
        networks=rules.correlate_scores.output.networks,
        correlation=rules.correlate_scores.output.correlation,
    output:
        information=f"{STUDY}/figures/mutual_information.pdf",
        information_png=report(
            f"{STUDY}/figures/mutual_information.png",
            caption="../report/mutual_information.rst",
            category="Mutual information",
            labels={"figure": "by layer"},
        ),
        second_order=f"{STUDY}/figures/second_order.pdf",
        second_order_png=report(
            f"{STUDY}/figures/second_order.png",
            caption="../report/second_order.rst",
            category="Dissimilarity matrices",
            subcategory="all networks",
            labels={"network": "all", "layer": "all"},
        ),
        brainscore=f"{STUDY}/figures/brainscore.pdf",
        brainscore_png=report(
            f"{STUDY}/figures/brainscore.png",
            caption="../report/brainscore.rst",
            category="Brain-Score",
            labels={"figure": "best layer against scores"},
        ),
    log:
        log_of("plot_study"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_study"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_study"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_study.py"


rule figures:
    input:
        expand(rules.plot_network.output.png, network=MEASURED),
        rules.plot_study.output,
