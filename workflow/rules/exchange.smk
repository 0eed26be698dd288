rule export_rdms:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
    output:
        place("exported"),
    log:
        log_of("export_rdms", "exported"),
    conda:
        "../../envs/human.yaml"
    params:
        code=program("export_rdms"),
        origin=origin_of("grow_trees"),
    script:
        "../scripts/export_rdms.py"


rule map_rdms:
    input:
        second_order=chosen("second_order"),
        human=rules.join_people.output.agreement if REFERENCES else [],
    output:
        table=f"{STUDY}/map.csv",
        pdf=f"{STUDY}/figures/map.pdf",
        png=report(
            f"{STUDY}/figures/map.png",
            caption="../report/map.rst",
            category="Dissimilarity matrices",
            subcategory="all networks",
            labels={"network": "all", "layer": "map"},
        ),
    log:
        log_of("map_rdms"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("map_rdms"),
        origin=lambda wildcards: origin(tuple(NETWORKS), "correlate_scores"),
        study=escape(STUDY_NETWORKS),
        labels=escape({name: ENTRIES[name]["label"] for name in [*REFERENCES, "classes"]}),
    script:
        "../scripts/map_rdms.py"


rule exchange:
    input:
        expand(chosen("exported"), network=MEASURED),
        rules.map_rdms.output,
