rule plot_rdms:
    input:
        rdms=lambda wildcards: per_layer(
            f"{STUDY}/rdm/{READOUT}/{{network}}/{{layer}}.h5", [wildcards.network]
        ),
        library=library("alignment", "brainscore", "plots", "store", script="plot_rdms"),
    output:
        report(
            directory(f"{STUDY}/figures/rdm/{{network}}"),
            patterns=["{layer}.png"],
            caption="../report/rdm.rst",
            category="Dissimilarity matrices",
            subcategory="{network}",
            labels={"network": "{network}", "layer": "{layer}"},
        ),
    log:
        f"{STUDY}/logs/plot_rdms/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(wildcards.network),
        metric=lookup(dpath="figures/rdm_metric", within=config),
        label=lambda wildcards: network_label(wildcards.network),
    script:
        "../scripts/plot_rdms.py"


rule plot_mutual_information:
    input:
        table=f"{STUDY}/mutual_information.csv",
        library=library("alignment", "brainscore", "plots", script="plot_mutual_information"),
    output:
        pdf=f"{STUDY}/figures/mutual_information.pdf",
        png=report(
            f"{STUDY}/figures/mutual_information.png",
            caption="../report/mutual_information.rst",
            category="Mutual information",
            labels={"figure": "by layer"},
        ),
    log:
        f"{STUDY}/logs/plot_mutual_information.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/plot_mutual_information.py"


rule plot_clusters:
    input:
        clusters=f"{STUDY}/clusters/{READOUT}/{CLUSTERING}/{{network}}.h5",
        information=f"{STUDY}/information/{READOUT}/{CLUSTERING}/{{network}}.csv",
        library=library("alignment", "brainscore", "information", "plots", "store", script="plot_clusters"),
    output:
        pdf=f"{STUDY}/figures/clusters/{{network}}.pdf",
        png=report(
            f"{STUDY}/figures/clusters/{{network}}.png",
            caption="../report/cluster_composition.rst",
            category="Clusters",
            labels={"network": "{network}", "figure": "classes by clusters"},
        ),
    log:
        f"{STUDY}/logs/plot_clusters/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(wildcards.network),
        label=lambda wildcards: network_label(wildcards.network),
    script:
        "../scripts/plot_clusters.py"


rule plot_second_order:
    input:
        rdms=f"{STUDY}/rdms.h5",
        library=library("alignment", "brainscore", "plots", "store", script="plot_second_order"),
    output:
        pdf=f"{STUDY}/figures/second_order.pdf",
        png=report(
            f"{STUDY}/figures/second_order.png",
            caption="../report/second_order.rst",
            category="Dissimilarity matrices",
            subcategory="all networks",
            labels={"network": "all", "layer": "all"},
        ),
    log:
        f"{STUDY}/logs/plot_second_order.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        labels={network: network_label(network) for network in NETWORKS},
    script:
        "../scripts/plot_second_order.py"


rule plot_brainscore:
    input:
        networks=f"{STUDY}/brainscore_networks.csv",
        correlation=f"{STUDY}/brainscore_correlation.csv",
        library=library("alignment", "brainscore", "plots", script="plot_brainscore"),
    output:
        pdf=f"{STUDY}/figures/brainscore.pdf",
        png=report(
            f"{STUDY}/figures/brainscore.png",
            caption="../report/brainscore.rst",
            category="Brain-Score",
            labels={"figure": "best layer against scores"},
        ),
    log:
        f"{STUDY}/logs/plot_brainscore.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/plot_brainscore.py"


rule figures:
    input:
        expand(f"{STUDY}/figures/rdm/{{network}}", network=MEASURED),
        expand(f"{STUDY}/figures/clusters/{{network}}.png", network=MEASURED),
        expand(
            f"{STUDY}/figures/{{figure}}.png",
            figure=["mutual_information", "brainscore", "second_order"],
        ),
