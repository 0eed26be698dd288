rule describe_run:
    input:
        jobs=rules.list_jobs.output[0],
        pages=rules.html_report.output,
    output:
        crate=f"{STUDY}/ro-crate-metadata.json",
        workflow=directory(f"{STUDY}/workflow"),
    log:
        log_of("describe_run"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("describe_run"),
        study=config["study"],
        written=lambda wildcards: code.hash_of(Path(path).read_text() for path in definition().values()),
        # From a URL they are fetched into another folder each time: what knows the input is not compared.
        definition=lambda wildcards, input: escape(definition()),
        choices=escape(dict(config)),
    script:
        "../scripts/describe_run.py"
