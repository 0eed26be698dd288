"""Unpack the images of the Describable Textures Dataset, <class>/<image>."""

from texalign import job

job.start(snakemake)

from texalign import download
from texalign.images import dtd
from texalign.plan import content

archive, folder = snakemake.input.archive, snakemake.output[0]
download.unpack(archive, folder, members_under=dtd.IMAGES, md5=dtd.MD5)
content.record(folder)
