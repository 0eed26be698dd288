"""The pages of one network: for each layer its distances, its clusters, what it confuses."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import escaping, store, tables
from texalign.figures import rdms
from texalign.report import data, embedding, layers, overview, pages

inputs, folder = snakemake.input, Path(snakemake.output[0])
params = escaping.unescape(dict(snakemake.params.items()))
names = [Path(path).stem for path in inputs.rdms]
information = tables.read(inputs.information)
main = information[information["k"] == information["n_classes"]].set_index("layer")
best = tables.best_layers(main.reset_index().assign(network="")).loc[0, "layer"]
by_k, confusions, labels = (tables.read(inputs[key]) for key in ("by_k", "confusions", "labels"))
for path, layer in zip(inputs.rdms, names, strict=True):
    with store.open_h5(path) as source, store.open_h5(inputs.clusters) as clusters:
        files, classes = store.read_keys(source)
        condensed, tree = source[params["metric"]][:], clusters[layer]["tree"][:]
        attributes = {key: source.attrs[key] for key in ("module", "channels", "positions")}
    value = layers.layer(condensed, classes, tree, by_k[by_k["layer"] == layer])
    pages.write_script(folder / f"{layer}.js", "layer", value)
    row = main.loc[layer]
    pairs = layers.confused_pairs(
        confusions[confusions["layer"] == layer], labels[labels["layer"] == layer], files
    )
    values = {"name": params["label"], "layer": layer, "layers": names, "n": len(files), "k": int(row["k"])}
    values |= {"bits": overview.bits_of(row), "pairs": pairs, "largest_k": min(len(files), value["k"][-1])}
    values |= {
        "metric": rdms.metric_label(params["metric"], params["representation"]),
        "remark": rdms.of_clusters(params["metric"], params["clustering"]),
        "exact": value["matrix"]["exact"],
        **attributes,
    }
    values |= {
        "title": f"{params['label']}, {layer}",
        "study": params["study"],
        "explained": params["columns"],
    }
    pages.write_page(
        folder / f"{layer}.html", "layer.html", root="../../", pages=pages.ALWAYS, here="", **values
    )
    if layer == best:
        places = data.packed(embedding.embed(condensed))
        cluster = labels[labels["layer"] == layer].set_index("file")["cluster"].loc[files].tolist()
        pages.write_script(folder / "map.js", "map", {"places": places, "clusters": cluster})
    job.log.info("%s: %d textures, %d pairs of classes", layer, len(files), len(pairs))
