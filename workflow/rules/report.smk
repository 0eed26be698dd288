rule report:
    input:
        rules.aggregate.output,
        rules.figures.input,
    output:
        f"{STUDY}/report.zip",
    log:
        f"{STUDY}/logs/report.log",
    localrule: True
    conda:
        "../../envs/texalign.yaml"
    params:
        configfiles=lambda wildcards: workflow.configfiles,
    shell:
        # The run that makes this file holds the lock; the report only reads.
        "snakemake --nolock --cores 1 --configfile {params.configfiles} --report {output} all > {log} 2>&1"
