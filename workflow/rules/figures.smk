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


rule plot_statistics:
    input:
        information=rules.join_information.output[0],
        by_k=rules.join_statistics.output.by_k,
        classes=rules.join_statistics.output.classes,
        uncertainty=rules.correlate_scores.output.uncertainty,
    output:
        intervals=f"{STUDY}/figures/mutual_information_intervals.pdf",
        intervals_png=report(
            f"{STUDY}/figures/mutual_information_intervals.png",
            caption="../report/intervals.rst",
            category="Mutual information",
            labels={"figure": "by layer, with intervals"},
        ),
        by_k=f"{STUDY}/figures/information_by_k.pdf",
        by_k_png=report(
            f"{STUDY}/figures/information_by_k.png",
            caption="../report/by_k.rst",
            category="Mutual information",
            labels={"figure": "by number of clusters"},
        ),
        classes=f"{STUDY}/figures/classes.pdf",
        classes_png=report(
            f"{STUDY}/figures/classes.png",
            caption="../report/classes.rst",
            category="Clusters",
            labels={"network": "all", "figure": "recovered classes"},
        ),
        correlation=f"{STUDY}/figures/correlation_by_layer.pdf",
        correlation_png=report(
            f"{STUDY}/figures/correlation_by_layer.png",
            caption="../report/correlation.rst",
            category="Brain-Score",
            labels={"figure": "every layer against scores"},
        ),
    log:
        log_of("plot_statistics"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_statistics"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_statistics"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_statistics.py"


rule figures:
    input:
        expand(rules.plot_network.output.png, network=MEASURED),
        rules.plot_study.output,
        rules.plot_statistics.output,
        rules.plot_published.output if PUBLISHED else [],
