"""Packed Gram matrices of all images, for every layer of one network: one group a layer."""

from texalign import job

job.start(snakemake)

from texalign import gram, networks, store, winograd

entry, readout = snakemake.params.entry, snakemake.wildcards.readout
# `--set-resources compute_gram:gpu=0` keeps a job off the GPU.
device = snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"
network = networks.load(entry, snakemake.input.get("weights"), device=device)

with store.open_h5(snakemake.input.images) as source:
    images, (files, classes) = source["image"], store.read_keys(source)
    size = images.shape[1]
    shapes = networks.layer_shapes(network, size)
    reference = network
    network = networks.set_precision(networks.fold_batchnorm(network, size), snakemake.params.precision)
    network = winograd.speed_up(network, size)
    if network.precision != "float32":
        errors = gram.relative_errors(network, reference, images[:8], readout)
        job.log.info("%s: relative error of the Gram matrices %s", network.precision, errors)
    batch = gram.batch_size(network, size)
    job.log.info("%s on %s, batches of %d, layers %s", entry["architecture"], network.device, batch, shapes)

    with store.create_h5(snakemake.output[0], store.gram_bytes(shapes, len(images))) as file:
        store.write_keys(file, files, classes)
        file.attrs.update(store.network_attributes(network, entry, readout))
        writers = store.gram_writers(file, network.layers, shapes, len(images))
        blocks = ((start, images[start : start + 64]) for start in range(0, len(images), 64))
        gram.compute(
            network,
            job.progress(blocks, len(images), "images"),
            lambda layer, _start, rows: writers[layer].append(rows),
            readout,
            batch,
        )
        for writer in writers.values():
            writer.flush()
