rule plot_network:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network]),
        clusters=chosen("clusters"),
        information=chosen("information"),
        classes=chosen("classes"),
        labels=chosen("labels"),
        images=place("images"),
    output:
        rdms=report(
            directory(f"{STUDY}/figures/rdm/{{network}}"),
            patterns=["{layer}.png"],
            caption="../report/rdm.rst",
            category="Dissimilarity matrices",
            subcategory="{network}",
            labels={"network": "{network}", "layer": "{layer}"},
        ),
        layers_pdf=f"{STUDY}/figures/layers/{{network}}.pdf",
        layers=report(
            f"{STUDY}/figures/layers/{{network}}.png",
            caption="../report/layers.rst",
            category="Dissimilarity matrices",
            subcategory="{network}",
            labels={"network": "{network}", "layer": "all"},
        ),
        pdf=f"{STUDY}/figures/clusters/{{network}}.pdf",
        png=report(
            f"{STUDY}/figures/clusters/{{network}}.png",
            caption="../report/cluster_composition.rst",
            category="Clusters",
            labels={"network": "{network}", "figure": "classes by clusters"},
        ),
        typical_pdf=f"{STUDY}/figures/typical/{{network}}.pdf",
        typical=report(
            f"{STUDY}/figures/typical/{{network}}.png",
            caption="../report/typical.rst",
            category="Clusters",
            labels={"network": "{network}", "figure": "typical and atypical images"},
        ),
        contact=report(
            f"{STUDY}/figures/contact/{{network}}.png",
            caption="../report/contact.rst",
            category="Clusters",
            labels={"network": "{network}", "figure": "contact sheet"},
        ),
    log:
        f"{STUDY}/logs/plot_network/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_network"),
        origin=origin_of("plot_network"),
        metric=lookup(dpath="figures/rdm_metric", within=config),
        representation=lookup(dpath="representation", within=config),
        clustering=lookup(dpath="clustering/on", within=config),
        label=lambda wildcards: LABELS[wildcards.network],
    script:
        "../scripts/plot_network.py"
