"""Fetch the archive of the Describable Textures Dataset, and check its hash."""

from texalign import job

job.start(snakemake)

from texalign import download, textures

download.fetch(textures.DTD_URL, snakemake.output[0], md5=textures.DTD_MD5)
