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
