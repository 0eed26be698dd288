"""A generator of the authors of Texture Networks, of a texture or of a style, from Torch7's format."""

from texalign import job

job.start(snakemake)

import hashlib
from pathlib import Path

from texalign import pictures
from texalign.synthesis import generator_file, torch7, training

path, contents = snakemake.input.model, snakemake.input.get("contents")
generator = torch7.read(path)
torch7.check_kind(generator, path, contents is not None)
torch7.calibrate(generator, [pictures.decode(file, None) for file in contents or []])
about = {
    "method": "generator" if contents is None else "style",
    "maker": "published",
    "converted_from": Path(path).name,
    "sha256_of_source": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
}
job.log.info("%s, %d parameters", generator.description, training.parameters(generator))
generator_file.save(snakemake.output[0], generator, about | job.about())
