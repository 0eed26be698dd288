"""One network's figures: the RDMs of its layers (Fig. 1), its best layer's clusters and typical images."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import escaping, store, tables, views
from texalign.figures import clusters, rdms, style
from texalign.information.contingency import contingency

params, inputs, output = snakemake.params, snakemake.input, snakemake.output
label = escaping.unescape(params.label)
measure = rdms.metric_label(params.metric, params.representation)
remark = rdms.of_clusters(params.metric, params.clustering)
figure, squares, means, layers = None, [], [], []
for path in inputs.rdms:
    with store.open_h5(path) as source:
        classes = store.read_keys(source)[1]
        condensed, layer = source[params.metric][:], f"{Path(path).stem} ({source.attrs['module']})"
    small = views.reduce_rdm(condensed, len(classes))
    figure = figure or rdms.rdm(small, classes, "", measure, remark)
    rdms.repaint(figure, small, f"{label}, {layer}")
    place = Path(output.rdms, Path(path).stem)
    style.save(figure, pdf=place.with_suffix(".pdf"), png=place.with_suffix(".png"))
    squares.append(views.reduce_rdm(condensed, len(classes), 300))
    means.append(views.class_means(condensed, classes)[1])
    layers.append(layer)
figure = rdms.all_layers(squares, means, classes, layers, label, measure, remark)
style.save(figure, pdf=output.layers_pdf, png=output.layers)

table = tables.read(inputs.information).assign(network=snakemake.wildcards.network)
best = tables.best_layers(table[table["k"] == table["n_classes"]]).iloc[0]
with store.open_h5(inputs.clusters) as source:
    files, classes = store.read_keys(source[best["layer"]])
    labels = store.read_labels(source[best["layer"]])[best["k"]]
known = tables.read(inputs.classes)
known = known[known["layer"] == best["layer"]].set_index("class")["matched_cluster"]
title = f"{label}, {best['layer']} ({best['module']})"
names = sorted(set(classes))
figure = clusters.cluster_composition(
    contingency(classes, labels), names, f"{title}, {best['mi_bits']:.2f} bits", known.loc[names]
)
style.save(figure, pdf=output.pdf, png=output.png)

typical = views.extremes(tables.read(inputs.labels), best["layer"])
with store.open_h5(inputs.images) as source:
    place = {file: i for i, file in enumerate(store.read_keys(source)[0])}
    shown = {
        name: [[source["image"][place[file]] for file in part] for part in parts]
        for name, parts in typical.items()
    }
    sheet = [
        (name, [source["image"][place[file]] for file in part])
        for name, part in views.members(files, classes, labels)
    ]
figure = clusters.typical_images([(name, *parts) for name, parts in shown.items()], title)
style.save(figure, pdf=output.typical_pdf, png=output.typical, dpi=120)
style.save(clusters.contact_sheet(sheet, f"{title}: clusters"), png=output.contact, dpi=165)
