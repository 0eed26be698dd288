"""Unpack the ten official splits of the Describable Textures Dataset, train1.txt and so on."""

from texalign import job

job.start(snakemake)

from texalign import download
from texalign.images import dtd
from texalign.plan import content

archive, folder = snakemake.input.archive, snakemake.output[0]
download.unpack(archive, folder, members_under=dtd.LABELS, md5=dtd.MD5)
content.record(folder)
