# What reports ask for.

#: What of the config a report tells.
REPORTED = ("dataset", "clustering", "readout", "normalisation", "bn_warmup", "representation", "precision")


def results_page():
    """The pages of the documentation that explain every column."""
    there = [workflow.source_path(f"../../docs/{page}.md") for page in ("results", "human", "synthesis")]
    return "\n".join(Path(page).read_text(encoding="utf-8") for page in there)


def captions():
    """What snakemake's report says of figures, for the other report too."""
    texts = {name: Path(workflow.source_path(f"../report/{name}.rst")) for name in pages.captions()}
    return {name: pages.caption(path.read_text(encoding="utf-8"), config) for name, path in texts.items()}


def definition():
    """The files that the workflow is written in, by their place in a study's folder; its main file first."""
    texts = {"Snakefile": workflow.source_path("../Snakefile")}
    for rules_file in written.included(Path(texts["Snakefile"]).read_text(encoding="utf-8")):
        texts[rules_file] = workflow.source_path(f"../{rules_file}")
        for script in written.scripts(Path(texts[rules_file]).read_text(encoding="utf-8")):
            texts[script] = workflow.source_path(f"../{script}")
    return {f"workflow/{name}": str(path) for name, path in texts.items()}


def columns(*names):
    """What some columns of tables mean, for pages; escaped, as a report shows the params of its rules."""
    meanings = explained.columns(results_page())
    return escape({name: meanings[name] for name in names})


def names_in_places():
    """What the study has: files of networks, textures and so on that it had once stay out of its report."""
    chosen = {
        "network": [*MEASURED, *SERIES],
        "variant": VARIANTS,
        "texture": TEXTURES,
        "blend": SYNTHESIS["blends"],
    }
    makers, seeds = [*SYNTHESISERS, *synthesis.OTHER_LABELS], list(map(str, SYNTHESIS["seeds"]))
    return chosen | {"maker": makers, "seed": seeds, "trained": [str(TRAINED)]}


def further_files(wildcards):
    """What a report shows beyond what it needs: all that was made."""
    return pages.files(STUDY, names_in_places())


def not_made():
    """What a report has no page of, and the command that makes it."""
    return {what: f"snakemake {target}" for what, target in pages.absent(STUDY, names_in_places()).items()}


def given_configfiles():
    """The option that names the command line's config files again: config.yaml among them would win."""
    files = workflow.overwrite_configfiles
    return ["--configfile", *files] if files else []
