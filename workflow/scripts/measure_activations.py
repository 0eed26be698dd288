"""Mean activation of each filter over the image set, by which Gatys et al. scale a network's weights."""

from texalign import job

job.start(snakemake)

from texalign import gatys, gram, networks, store

entry = snakemake.params.entry
device = snakemake.resources.device if snakemake.resources.get("gpu", 0) else "cpu"
network = networks.load(entry, snakemake.input.get("weights"), device=device)
network = gatys.prepare(network)
with store.open_h5(snakemake.input.images) as source, store.create_h5(snakemake.output[0]) as file:
    images = source["image"]
    batch = gram.batch_size(network, images.shape[1])
    batches = ((start, images[start : start + batch]) for start in range(0, len(images), batch))
    parts = job.progress(batches, len(images), "images")
    means = gatys.mean_activations(network, (part for _, part in parts))
    for name, values in means.items():
        file[name] = values.numpy()
    file.attrs.update(store.network_attributes(network, entry, "relu"))
