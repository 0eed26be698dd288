"""How far observers agree in their odd-one-out choices."""

from texalign import job

job.start(snakemake)

import numpy as np

from texalign import joins, store, tables
from texalign.human import triplets
from texalign.plan import content

where = snakemake.params.where
with store.open_h5(snakemake.input.images) as source:
    files, _ = store.read_keys(source)
content.check_any(snakemake.input.file, snakemake.params.recipe["file"])
chosen, joined = triplets.read_triplets(snakemake.input.file, files, where)
if left := joins.told(joined, where):
    job.log.warning("%s", left)
others, every = triplets.majority(chosen)
row = {"words": "choices", "level": "image", "n": len(chosen.triplet)}
row |= {"missing": len(joined.missing), "extra": len(joined.extra)}
row |= {"n_halves": int((np.bincount(chosen.triplet)[chosen.triplet] > 1).sum())}
row |= dict.fromkeys(("split_half", "split_half_std", "reliability", "ceiling"), np.nan)
row |= {"ceiling_low": others, "ceiling_high": every}
tables.write(snakemake.output[0], [row], job.about())
