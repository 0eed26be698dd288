"""Fetch people's descriptions of DTD's images, and check their hash."""

from texalign import job

job.start(snakemake)

from texalign import download
from texalign.human import descriptions

download.fetch(descriptions.URL, snakemake.output[0], sha256=descriptions.SHA256)
