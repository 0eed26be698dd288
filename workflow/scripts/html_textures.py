"""Thumbnails of all textures, for the pages of the report."""

from texalign import job

job.start(snakemake)

from texalign import store
from texalign.report import thumbnails

with store.open_h5(snakemake.input.images) as source:
    files, classes = store.read_keys(source)
    thumbnails.write(snakemake.output[0], files.tolist(), classes.tolist(), source["image"])
job.log.info("%d thumbnails", len(files))
