"""Packed Gram matrices and channel means of all images, for every layer of one network: a group a layer."""

from texalign import job

job.start(snakemake)

from texalign import networks, readout, store
from texalign.fast.prepare import prepare
from texalign.gram import extract

params, taken = snakemake.params, snakemake.params.maps
network = networks.load_for(snakemake)

with store.open_h5(snakemake.input.images) as source:
    images, (files, classes) = source["image"], store.read_keys(source)
    size = images.shape[1]
    network = networks.taken(network, taken, size)
    shapes = readout.layer_shapes(network, size)
    exact = params.precision == "float32"
    reference = None if exact else extract.one_batch(network, images[:8], taken["readout"])
    with (
        prepare(network, size, params.precision, params.convolutions) as fast,
        store.create_h5(snakemake.output[0], job.about(), store.gram_bytes(shapes, len(images))) as file,
    ):
        if not exact:
            errors = extract.relative_errors(fast, reference, images[:8], taken["readout"])
            job.log.info("%s: relative error of the Gram matrices %s", fast.precision, errors)
        batch = extract.batch_size(fast, size)
        job.log.info("%s on %s, batches of %d, layers %s", fast.architecture, fast.device, batch, shapes)
        store.write_keys(file, files, classes)
        file.attrs.update(store.network_attributes(fast, taken["readout"]))
        about = readout.attributes(network)
        writers = store.gram_writers(file, fast.layers, shapes, len(images), about)

        def write(layer, start, summary):
            """Hand rows over to their layer's writer, once they are known to be sound."""
            names = files[start : start + len(summary.gram)]
            extract.check_finite(summary.gram, shapes[layer][0], f"{layer} ({fast.layers[layer]})", names)
            writers[layer].append(*summary)

        blocks = ((start, images[start : start + 64]) for start in range(0, len(images), 64))
        extract.compute(
            fast,
            job.progress(blocks, len(images), "images"),
            write,
            taken["readout"],
            batch,
        )
        for writer in writers.values():
            writer.flush()
