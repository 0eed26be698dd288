rule plot_synthesis:
    input:
        exemplars=expand(place("exemplar"), texture=TEXTURES),
        images=grid_images,
    output:
        pdf=f"{STUDY}/figures/synthesis/seed{{seed}}.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/seed{{seed}}.png",
            caption="../report/synthesis.rst",
            category="Synthetic textures",
            labels={"figure": "originals and networks, seed {seed}"},
        ),
    log:
        f"{STUDY}/logs/plot_synthesis/seed{{seed}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_synthesis"),
        textures=list(TEXTURES),
        labels=GRID_LABELS,
        cells=CELLS,
    script:
        "../scripts/plot_synthesis.py"


rule plot_series:
    input:
        exemplars=expand(place("exemplar"), texture=TEXTURES),
        images=series_images,
    output:
        pdf=f"{STUDY}/figures/synthesis/series/{{network}}.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/series/{{network}}.png",
            caption="../report/series.rst",
            category="Synthetic textures",
            subcategory="by layers",
            labels={"figure": "layers of {network}"},
        ),
    log:
        f"{STUDY}/logs/plot_series/{{network}}.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_synthesis"),
        textures=list(TEXTURES),
        labels=series_labels,
    script:
        "../scripts/plot_synthesis.py"


rule plot_traces:
    input:
        traces=TRACES,
    output:
        pdf=f"{STUDY}/figures/synthesis/loss.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/loss.png",
            caption="../report/loss.rst",
            category="Synthetic textures",
            labels={"figure": "loss curves"},
        ),
    log:
        log_of("plot_traces"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_traces"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_traces.py"


rule plot_times:
    input:
        traces=TRACES,
        trainings=TRAININGS["generator"],
    output:
        pdf=f"{STUDY}/figures/synthesis/time.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/time.png",
            caption="../report/time.rst",
            category="Synthetic textures",
            labels={"figure": "loss over time"},
        ),
    log:
        log_of("plot_times"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_times"),
        study=escape(STUDY_NETWORKS),
    script:
        "../scripts/plot_times.py"


rule plot_rivals:
    input:
        trainings=TRAININGS["dcgan"],
    output:
        pdf=f"{STUDY}/figures/synthesis/dcgan.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/dcgan.png",
            caption="../report/dcgan.rst",
            category="Synthetic textures",
            labels={"figure": "losses of DCGANs"},
        ),
    log:
        log_of("plot_rivals"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_rivals"),
    script:
        "../scripts/plot_rivals.py"


rule plot_scores:
    input:
        scores=rules.join_scores.output[0],
    output:
        pdf=f"{STUDY}/figures/synthesis/scores.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/scores.png",
            caption="../report/scores.rst",
            category="Synthetic textures",
            labels={"figure": "scores"},
        ),
    log:
        log_of("plot_scores"),
    conda:
        "../../envs/texalign.yaml"
    params:
        code=program("plot_scores"),
        labels=SCORE_LABELS,
    script:
        "../scripts/plot_scores.py"


rule synthesis:
    input:
        synthesis_targets,
