"""Fetch the archive of the Describable Textures Dataset, and check its hash."""

from texalign import job

job.start(snakemake)

from texalign import download
from texalign.images import dtd

download.fetch(dtd.URL, snakemake.output[0], md5=dtd.MD5)
