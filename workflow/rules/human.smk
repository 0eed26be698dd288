rule describe_people:
    input:
        images=place("images"),
        file=people_file,
    output:
        rdms=[
            place("rdm", maps="people", representation="descriptions", layer=layer) for layer in ("L1", "L2")
        ],
        reliability=place("reliability_of_descriptions"),
    log:
        log_of("describe_people", "reliability_of_descriptions"),
    benchmark:
        times_of("describe_people", "reliability_of_descriptions")
    conda:
        "../../envs/human.yaml"
    params:
        code=program("describe_people"),
        recipe=lambda wildcards: ENTRIES[wildcards.network]["options"],
        where=named_reference,
    script:
        "../scripts/describe_people.py"


rule read_similarities:
    input:
        images=place("images"),
        file=people_file,
    output:
        rdms=[place("rdm", maps="people", representation="rdm", layer="L1")],
        reliability=place("reliability_of_rdm"),
    log:
        log_of("read_similarities", "reliability_of_rdm"),
    conda:
        "../../envs/human.yaml"
    params:
        code=program("read_similarities"),
        recipe=lambda wildcards: ENTRIES[wildcards.network]["options"],
        where=named_reference,
    script:
        "../scripts/read_similarities.py"


rule read_choices:
    input:
        images=place("images"),
        file=people_file,
    output:
        reliability=place("reliability_of_triplets"),
    log:
        log_of("read_choices", "reliability_of_triplets"),
    conda:
        "../../envs/human.yaml"
    params:
        code=program("read_choices"),
        recipe=lambda wildcards: ENTRIES[wildcards.network]["options"],
        where=named_reference,
    script:
        "../scripts/read_choices.py"


rule compare_people:
    input:
        images=place("images"),
        rdms=lambda wildcards: rdms_of([wildcards.network], wildcards),
        people=people_rdms,
        choices=people_choices,
    output:
        place("agreement"),
    log:
        log_of("compare_people", "agreement"),
    benchmark:
        times_of("compare_people", "agreement")
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("compare_people"),
        origin=origin_of("grow_trees"),
        recipe=lambda wildcards: ENTRIES[wildcards.reference]["options"],
        permutations=lookup(dpath="human/permutations", within=config),
        seed=lookup(dpath="human/seed", within=config),
    script:
        "../scripts/compare_people.py"


rule join_people:
    input:
        agreement=[
            found_for("agreement", name, reference=reference)
            for reference in REFERENCES
            for name in COMPARED
            if name != reference
        ],
        reliability=[
            place(f"reliability_of_{entry['kind']}", network=reference)
            for reference, entry in REFERENCES.items()
        ],
        information=[found_for("information", name) for name in people.with_rdms(config)],
    output:
        agreement=f"{STUDY}/human.csv",
        references=f"{STUDY}/human_references.csv",
    log:
        log_of("join_people"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("join_people"),
        origin=lambda wildcards: origin(tuple(MEASURED), "join_information"),
        names=networks.names(ENTRIES, COMPARED),
        controls=lookup(dpath="controls", within=config),
        references={name: entry["kind"] for name, entry in REFERENCES.items()},
    script:
        "../scripts/join_people.py"


rule correlate_people:
    input:
        agreement=rules.join_people.output.agreement,
    output:
        f"{STUDY}/human_correlation.csv",
    log:
        log_of("correlate_people"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("correlate_people"),
        origin=lambda wildcards: origin(tuple(MEASURED), "correlate_scores"),
        scores={network: SCORES.values[network] for network in SCORED},
        metrics=SCORES.metrics,
    script:
        "../scripts/correlate_people.py"
