"""RDM of every layer of one network, with the classes on its axes (Fig. 1)."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import plots, store

METRIC_LABELS = {
    "euclidean": "Frobenius distance of Gram matrices (arb. units)",
    "cosine": "1 - cosine of Gram matrices (no unit)",
}

folder, metric = Path(snakemake.output[0]), snakemake.params.metric
for path in snakemake.input.rdms:
    layer = Path(path).stem
    with store.open_h5(path) as source:
        classes = store.read_keys(source)[1]
        small = plots.reduce_rdm(source[metric][:], len(classes))
        title = f"{snakemake.params.label}, {layer} ({source.attrs['module']})"
    figure = plots.rdm(small, classes, title, METRIC_LABELS[metric])
    plots.save(figure, pdf=folder / f"{layer}.pdf", png=folder / f"{layer}.png")
