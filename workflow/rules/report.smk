rule report:
    input:
        rules.aggregate.output,
        rules.figures.input,
        synthesis_so_far,
    output:
        f"{STUDY}/report.zip",
    log:
        f"{STUDY}/logs/report.log",
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        snakefile=lambda wildcards: workflow.main_snakefile,
        configfiles=lambda wildcards: given_configfiles(),
    shell:
        # The run that makes this file holds the lock; the report only reads.
        "snakemake --snakefile {params.snakefile:q} --nolock --cores 1 {params.configfiles:q} "
        "--report {output:q} -- {input:q} > {log:q} 2>&1"


rule html_textures:
    input:
        images=place("images"),
    output:
        directory(f"{STUDY}/report/textures"),
    log:
        log_of("html_textures"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("html_textures"),
        listing=lambda wildcards: listing(),
    script:
        "../scripts/html_textures.py"


rule html_network:
    input:
        rdms=lambda wildcards: rdms_of([wildcards.network]),
        clusters=chosen("clusters"),
        information=chosen("information"),
        by_k=chosen("by_k"),
        labels=chosen("labels"),
        confusions=chosen("confusions"),
    output:
        directory(f"{STUDY}/report/networks/{{network}}"),
    log:
        f"{STUDY}/logs/html_network/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("html_network"),
        pages=code.digest_of_pages(),
        origin=origin_of("plot_network"),
        study=config["study"],
        metric=lookup(dpath="figures/rdm_metric", within=config),
        representation=lookup(dpath="representation", within=config),
        clustering=lookup(dpath="clustering/on", within=config),
        label=lambda wildcards: LABELS[wildcards.network],
        columns=lambda wildcards: columns("confusion", "together"),
    script:
        "../scripts/html_network.py"


rule list_jobs:
    input:
        rules.aggregate.output,
        rules.correlate_scores.output,
        rules.figures.input,
        rules.html_textures.output,
        expand(rules.html_network.output, network=MEASURED),
        further_files,
    output:
        f"{STUDY}/jobs.tsv",
    log:
        log_of("list_jobs"),
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        snakefile=lambda wildcards: workflow.main_snakefile,
        configfiles=lambda wildcards: given_configfiles(),
    shell:
        # As the rule above: what snakemake noted of each file of these, and of those that they are made from.
        "snakemake --snakefile {params.snakefile:q} --nolock --cores 1 {params.configfiles:q} "
        "--detailed-summary -- {input:q} > {output:q} 2> {log:q}"


rule html_report:
    input:
        jobs=rules.list_jobs.output[0],
        information=rules.join_information.output[0],
        summary=rules.aggregate.output.summary,
        networks=rules.correlate_scores.output.networks,
        uncertainty=rules.correlate_scores.output.uncertainty,
        confusions=rules.join_statistics.output.confusions,
        people=rules.join_people.output.references if REFERENCES else [],
        figures=rules.figures.input,
        further=further_files,
        textures=rules.html_textures.output,
        pages=expand(rules.html_network.output, network=MEASURED),
    output:
        overview=f"{STUDY}/report/index.html",
        networks=f"{STUDY}/report/networks.html",
        map=f"{STUDY}/report/map.html",
        more=directory(f"{STUDY}/report/more"),
        pages=f"{STUDY}/report/pages.js",
        chart=f"{STUDY}/report/mutual_information.svg",
        static=directory(f"{STUDY}/report/static"),
    log:
        log_of("html_report"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("html_report"),
        pages=code.digest_of_pages(),
        origin=lambda wildcards: origin(tuple(MEASURED), "plot_study"),
        study=config["study"],
        networks=escape(STUDY_NETWORKS),
        metrics=SCORES.metrics,
        choices=escape({key: config[key] for key in REPORTED}),
        sections=lambda wildcards: escape(explained.sections(results_page())),
        differences=lambda wildcards: escape(explained.differences(results_page())),
        captions=lambda wildcards: escape(captions()),
        further=lambda wildcards, input: escape(pages.found(STUDY, names_in_places())),
        absent=lambda wildcards, input: not_made(),
    script:
        "../scripts/html_report.py"
