"""Fetch the published weights of one network, and check their hash."""

from texalign import job

job.start(snakemake)

from texalign import download, sources

entry = snakemake.params.entry
download.fetch(
    sources.weights_url(entry),
    snakemake.output[0],
    **sources.expected_hash(entry),
    hint="set `weights: untrained` for this network: a control, not a substitute",
)
