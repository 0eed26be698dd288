rule plot_synthesis:
    input:
        exemplars=expand(f"{STUDY}/synthesis/{{texture}}/exemplar.png", texture=TEXTURES),
        images=expand(
            f"{STUDY}/synthesis/{{texture}}/{{{{run}}}}{{maker}}.png", texture=TEXTURES, maker=MAKERS
        ),
        library=library(
            "alignment",
            "brainscore",
            "plots",
            "plots_synthesis",
            "procedural",
            "textures",
            script="plot_synthesis",
        ),
    output:
        pdf=f"{STUDY}/figures/synthesis/{{run}}textures.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/{{run}}textures.png",
            caption="../report/synthesis.rst",
            category="Synthetic textures",
            labels=grid_labels,
        ),
    log:
        f"{STUDY}/logs/plot_synthesis/{{run}}textures.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        textures=list(TEXTURES),
        labels=[maker_label(maker) for maker in MAKERS],
    script:
        "../scripts/plot_synthesis.py"


rule plot_series:
    input:
        exemplars=expand(f"{STUDY}/synthesis/{{texture}}/exemplar.png", texture=TEXTURES),
        images=series_images,
        library=library(
            "alignment",
            "brainscore",
            "plots",
            "plots_synthesis",
            "procedural",
            "textures",
            script="plot_synthesis",
        ),
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
        textures=list(TEXTURES),
        labels=series_labels,
    script:
        "../scripts/plot_synthesis.py"


rule plot_traces:
    input:
        traces=expand(
            f"{STUDY}/synthesis/{{texture}}/{{run}}{{network}}.csv",
            texture=TEXTURES,
            run=runs(),
            network=SYNTHESISERS if SYNTHESIS["method"] != BASELINE else [],
        ),
        library=library("alignment", "brainscore", "plots", "plots_synthesis", script="plot_traces"),
    output:
        pdf=f"{STUDY}/figures/synthesis/loss.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/loss.png",
            caption="../report/loss.rst",
            category="Synthetic textures",
            labels={"figure": "loss curves"},
        ),
    log:
        f"{STUDY}/logs/plot_traces.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        textures=list(TEXTURES),
        runs=runs(),
        names=network_names(SYNTHESISERS),
    script:
        "../scripts/plot_traces.py"


rule plot_scores:
    input:
        scores=f"{STUDY}/synthesis/scores.csv",
        library=library("alignment", "brainscore", "plots", "plots_synthesis", script="plot_scores"),
    output:
        pdf=f"{STUDY}/figures/synthesis/scores.pdf",
        png=report(
            f"{STUDY}/figures/synthesis/scores.png",
            caption="../report/scores.rst",
            category="Synthetic textures",
            labels={"figure": "scores"},
        ),
    log:
        f"{STUDY}/logs/plot_scores.log",
    conda:
        "../../envs/texalign.yaml"
    params:
        labels={maker: maker_label(maker) for maker in [*MAKERS, *SYNTHESISERS]},
    script:
        "../scripts/plot_scores.py"


rule synthesis:
    input:
        synthesis_targets,
