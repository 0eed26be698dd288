"""A generator of the authors of Texture Networks, made ours: from Torch7's format."""

from texalign import job

job.start(snakemake)

import hashlib
from pathlib import Path

from texalign.synthesis import generator_file, torch7, training

(path,) = snakemake.input
generator = torch7.read(path)
torch7.calibrate(generator)
about = {
    "method": "generator",
    "maker": snakemake.wildcards.get("maker", "published"),
    "converted_from": Path(path).name,
    "sha256_of_source": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
}
job.log.info("%s, %d parameters", generator.description, training.parameters(generator))
generator_file.save(snakemake.output[0], generator, about | job.about())
