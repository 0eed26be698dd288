"""Decode and resize every image of the study once: images.h5 with `image`, `file` and `class`."""

from texalign import job

job.start(snakemake)

from texalign import store
from texalign.images import textures
from texalign.plan.dataset import check_unchanged

dataset, size, folder = snakemake.params.dataset, snakemake.params.size, snakemake.input.get("folder") or None
images = textures.resized(textures.load_dataset(dataset, folder), snakemake.params.resize)

with store.create_h5(snakemake.output[0], job.about()) as file:
    store.write_keys(file, images.files, images.classes)
    target = store.image_dataset(file, len(images), size)
    blocks = textures.blocks(images, size, threads=snakemake.threads)
    for start, block in job.progress(blocks, len(images), "images"):
        target[start : start + len(block)] = block
    check_unchanged(dataset, snakemake.params.listing, folder)
