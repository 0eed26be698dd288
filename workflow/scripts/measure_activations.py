"""Mean activation of each filter over the image set, by which Gatys et al. scale a network's weights."""

from texalign import job

job.start(snakemake)

from texalign import networks, store
from texalign.gram import extract
from texalign.synthesis import gatys_network

network = gatys_network.prepare(networks.load_for(snakemake))
with (
    store.open_h5(snakemake.input.images) as source,
    store.create_h5(snakemake.output[0], job.about()) as file,
):
    images = source["image"]
    batch = extract.batch_size(network, images.shape[1])
    batches = ((start, images[start : start + batch]) for start in range(0, len(images), batch))
    parts = job.progress(batches, len(images), "images")
    means = gatys_network.mean_activations(network, (part for _, part in parts))
    for name, values in means.items():
        file[name] = values.numpy()
    file.attrs.update(store.network_attributes(network, "relu"))
