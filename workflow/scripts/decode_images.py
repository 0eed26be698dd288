"""Decode and resize every image of the study once: images.h5 with `image`, `file` and `class`."""

from texalign import job

job.start(snakemake)

import json

import numpy as np

from texalign import store, textures

dataset, size = snakemake.params.dataset, snakemake.params.size
path = snakemake.input.get("folder") or dataset.get("path")
images = textures.load(
    dataset["source"], path, dataset.get("classes"), dataset.get("per_class"), dataset.get("seed", 0)
)

with store.create_h5(snakemake.output[0]) as file:
    store.write_keys(file, images.files, images.classes)
    file.attrs.update(dataset=json.dumps(dataset), size=size, versions=store.versions())
    target = file.create_dataset("image", (len(images), size, size, 3), np.uint8, chunks=(1, size, size, 3))
    blocks = textures.blocks(images, size, threads=snakemake.threads)
    for start, block in job.progress(blocks, len(images), "images"):
        target[start : start + len(block)] = block
