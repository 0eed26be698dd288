localrules:
    fetch_weights,
    fetch_locked_weights,
    fetch_dtd,
    unpack_dtd,
    unpack_dtd_labels,
    fetch_descriptions,


rule fetch_weights:
    output:
        "resources/weights/{network}.pth",
    log:
        "resources/logs/fetch_weights/{network}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        entry=lambda wildcards: networks.published(models[wildcards.network]),
    script:
        "../scripts/fetch_weights.py"


# Weights of which nothing but a lock file knows the hash: what is computed from them is made again when
# that changes, by the small file beside them.
rule fetch_locked_weights:
    output:
        weights="resources/weights/{network}.locked",
        sha256="resources/weights/{network}.locked.sha256",
    log:
        "resources/logs/fetch_locked_weights/{network}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        entry=lambda wildcards: networks.published(models[wildcards.network]),
    script:
        "../scripts/fetch_weights.py"


rule fetch_dtd:
    output:
        "resources/dtd/dtd-r1.0.1.tar.gz",
    log:
        "resources/logs/fetch_dtd.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/fetch_dtd.py"


rule unpack_dtd:
    input:
        archive="resources/dtd/dtd-r1.0.1.tar.gz",
    output:
        directory("resources/dtd/images"),
    log:
        "resources/logs/unpack_dtd.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/unpack_dtd.py"


rule unpack_dtd_labels:
    input:
        archive="resources/dtd/dtd-r1.0.1.tar.gz",
    output:
        directory("resources/dtd/labels"),
    log:
        "resources/logs/unpack_dtd_labels.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/unpack_dtd_labels.py"


rule fetch_descriptions:
    output:
        people.DESCRIPTIONS,
    log:
        "resources/logs/fetch_descriptions.log",
    conda:
        "../../envs/texalign.yaml"
    script:
        "../scripts/fetch_descriptions.py"
