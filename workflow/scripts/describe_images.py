"""RDM of what images tell without a network: pixels, colours, or statistics of Portilla and Simoncelli."""

from texalign import job

job.start(snakemake)

import numpy as np

from texalign import store
from texalign.geometry import distances
from texalign.images import baselines

name = snakemake.wildcards.network
with store.open_h5(snakemake.input.images) as source:
    files, classes = store.read_keys(source)
    # The pyramid of an image takes 40 MB.
    blocks = ((start, source["image"][start : start + 16]) for start in range(0, len(files), 16))
    blocks = job.progress(blocks, len(files), "images")
    if name in baselines.PLAIN:
        rows = np.concatenate([baselines.PLAIN[name](images) for _, images in blocks])
    else:
        from texalign.synthesis import portilla_simoncelli

        rows = np.concatenate([portilla_simoncelli.statistics(images) for _, images in blocks])
        rows = baselines.standardised(rows)
with store.create_h5(snakemake.output[0], job.about()) as file:
    store.write_rdm(file, len(rows), distances.rdm_blocks(rows, files))
    store.write_keys(file, files, classes)
    store.describe_rows(file, name)
