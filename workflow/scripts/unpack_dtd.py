"""Unpack the images of the Describable Textures Dataset, <class>/<image>."""

from texalign import job

job.start(snakemake)

from texalign import download
from texalign.images import dtd

download.unpack(snakemake.input.archive, snakemake.output[0], members_under=dtd.IMAGES)
