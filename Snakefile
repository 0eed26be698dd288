include: "workflow/Snakefile"


# A bare include has no default target: snakemake would do nothing, and call it success.
workflow.default_target = "all"
