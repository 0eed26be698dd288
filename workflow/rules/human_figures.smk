rule plot_people:
    input:
        agreement=rules.join_people.output.agreement,
        references=rules.join_people.output.references,
    output:
        pdf=f"{STUDY}/figures/human.pdf",
        png=report(
            f"{STUDY}/figures/human.png",
            caption="../report/human.rst",
            category="People",
            labels={"figure": "agreement by layer"},
        ),
    log:
        log_of("plot_people"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_people"),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_people"),
        study=escape(STUDY_NETWORKS),
        labels=escape({name: ENTRIES[name]["label"] for name in REFERENCES}),
    script:
        "../scripts/plot_people.py"


rule human:
    input:
        [rules.correlate_people.output, rules.plot_people.output] if REFERENCES else [],
