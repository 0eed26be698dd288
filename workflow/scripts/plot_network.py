"""One network's figures: the RDM of every layer (Fig. 1), its best layer's clusters and typical images."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import escaping, store, tables, views
from texalign.figures import clusters, rdms, style
from texalign.information.contingency import contingency

params, output = snakemake.params, snakemake.output
label = escaping.unescape(params.label)
measure = rdms.metric_label(params.metric, params.representation)
for path in snakemake.input.rdms:
    with store.open_h5(path) as source:
        classes = store.read_keys(source)[1]
        small = views.reduce_rdm(source[params.metric][:], len(classes))
        title = f"{label}, {Path(path).stem} ({source.attrs['module']})"
    figure = rdms.rdm(small, classes, title, measure)
    place = Path(output.rdms, Path(path).stem)
    style.save(figure, pdf=place.with_suffix(".pdf"), png=place.with_suffix(".png"))

table = tables.read(snakemake.input.information).assign(network=snakemake.wildcards.network)
best = tables.best_layers(table[table["k"] == table["n_classes"]]).iloc[0]
with store.open_h5(snakemake.input.clusters) as source:
    group = source[best["layer"]]
    labels = store.read_labels(group)[best["k"]]
title = f"{label}, {best['layer']} ({best['module']}), {best['mi_bits']:.2f} bits"
figure = clusters.cluster_composition(contingency(classes, labels), sorted(set(classes)), title)
style.save(figure, pdf=output.pdf, png=output.png)

labels = views.extremes(tables.read(snakemake.input.labels), best["layer"])
with store.open_h5(snakemake.input.images) as source:
    place = {file: i for i, file in enumerate(store.read_keys(source)[0])}
    shown = [
        (name, *([source["image"][place[file]] for file in files] for files in groups))
        for name, groups in labels.items()
    ]
figure = clusters.typical_images(shown, f"{label}, {best['layer']} ({best['module']})")
style.save(figure, pdf=output.typical_pdf, png=output.typical)
