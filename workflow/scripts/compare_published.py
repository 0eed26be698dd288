"""The papers' correlations beside this study's, metric by metric."""

from texalign import job

job.start(snakemake)

import pandas as pd

from texalign import tables

columns = {"n": "published_n", "pearson_r": "published_r", "p_value": "published_p"}
published = pd.DataFrame(snakemake.params.published).rename(columns=columns)
ours = tables.read(snakemake.input.correlation)[["metric", "n", "pearson_r", "p_value"]]
table = published.merge(ours, how="left", on="metric", validate="many_to_one")
table["r_difference"] = table["pearson_r"] - table["published_r"]
tables.write(snakemake.output[0], table, job.about())
