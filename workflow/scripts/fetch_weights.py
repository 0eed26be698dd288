"""Fetch the published weights of one network, and check their hash."""

from texalign import job

job.start(snakemake)

from texalign import download, networks

entry = snakemake.params.entry
download.fetch(
    networks.weights_url(entry),
    snakemake.output[0],
    **networks.expected_hash(entry),
    hint="set `weights: untrained` for this network: a control, not a substitute",
)
