rule describe_images:
    input:
        images=place("images"),
    output:
        place("rdm", maps="images", representation="features", layer="L1"),
    log:
        f"{STUDY}/logs/describe_images/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/describe_images/{{network}}.tsv"
    conda:
        "../../envs/plenoptic.yaml"
    params:
        code=program("describe_images"),
        origin=origin_of("compute_gram"),
    script:
        "../scripts/describe_images.py"


rule join_references:
    input:
        information=rules.join_information.output[0],
        references=[found_for("information", name) for name in [*people.with_rdms(config), *BASELINES]],
    output:
        references=f"{STUDY}/references.csv",
        selection=f"{STUDY}/layer_selection.csv",
    log:
        log_of("join_references"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_references"),
        origin=lambda wildcards: origin(tuple(MEASURED), "correlate_scores"),
        labels={name: ENTRIES[name]["label"] for name in [*REFERENCES, *BASELINES]},
        what={name: ENTRIES[name]["family"] for name in [*REFERENCES, *BASELINES]},
        scores={network: SCORES.values[network] for network in SCORED},
        metrics=SCORES.metrics,
    script:
        "../scripts/join_references.py"


rule plot_references:
    input:
        references=rules.join_references.output.references,
    output:
        pdf=f"{STUDY}/figures/references.pdf",
        png=report(
            f"{STUDY}/figures/references.png",
            caption="../report/references.rst",
            category="Mutual information",
            labels={"figure": "beside people and images"},
        ),
    log:
        log_of("plot_references"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_references"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_references"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_references.py"


rule references:
    input:
        rules.plot_references.output,
