rule measure_information:
    input:
        clusters=f"{STUDY}/clusters/{{readout}}/{{clustering}}/{{network}}.h5",
        library=library("information", "store", script="measure_information"),
    output:
        f"{STUDY}/information/{{readout}}/{{clustering}}/{{network}}.csv",
    log:
        f"{STUDY}/logs/measure_information/{{readout}}/{{clustering}}/{{network}}.log",
    benchmark:
        f"{STUDY}/benchmarks/measure_information/{{readout}}/{{clustering}}/{{network}}.tsv"
    conda:
        "../../envs/texalign.yaml"
    params:
        origin=lambda wildcards: origin(wildcards.network),
        k=lookup(dpath="clustering/k", within=config),
        estimator=lookup(dpath="mutual_information/estimator", within=config),
        permutations=lookup(dpath="mutual_information/permutations", within=config),
        seed=lookup(dpath="mutual_information/seed", within=config),
    script:
        "../scripts/measure_information.py"


rule mutual_information:
    input:
        f"{STUDY}/mutual_information.csv",
