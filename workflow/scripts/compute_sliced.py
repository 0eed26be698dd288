"""Quantiles of the feature maps of some images of each class along random directions, a group a layer."""

from texalign import job

job.start(snakemake)

from functools import partial

from texalign import networks, readout, store
from texalign.fast.prepare import prepare
from texalign.gram import extract, sliced
from texalign.images import textures

params, taken, how = snakemake.params, snakemake.params.maps, snakemake.params.sliced
network = networks.load_for(snakemake)

with store.open_h5(snakemake.input.images) as source:
    images, (files, classes) = source["image"], store.read_keys(source)
    size = images.shape[1]
    network = networks.taken(network, taken, size)
    shapes = readout.layer_shapes(network, size)
    kept = textures.capped(files, classes, how["per_class"] or len(files), how["seed"])
    along = {
        layer: sliced.directions(channels, how["directions"], [how["seed"], number])
        for number, (layer, (channels, _, _)) in enumerate(shapes.items())
    }
    with (
        prepare(network, size, params.precision, params.convolutions) as fast,
        store.create_h5(snakemake.output[0], job.about()) as file,
    ):
        store.write_keys(file, files[kept], classes[kept])
        file.attrs.update(store.network_attributes(fast, taken["readout"]))
        writers = store.quantile_writers(
            file, fast.layers, shapes, len(kept), how, readout.attributes(network)
        )
        blocks = ((i, images[kept[i : i + 64]]) for i in range(0, len(kept), 64))
        extract.compute(
            fast,
            job.progress(blocks, len(kept), "images"),
            lambda layer, _start, rows: writers[layer].append(rows),
            taken["readout"],
            extract.batch_size(fast, size),
            partial(sliced.of_batch, along=along, count=how["quantiles"]),
        )
        for writer in writers.values():
            writer.flush()
