"""Fetch the published weights of one network, and check their hash, or record it where none is known."""

from texalign import job

job.start(snakemake)

from texalign import download, files, locks, sources

entry, path = snakemake.params.entry, snakemake.output[0]
source, lock = entry["weights"], entry.get("lock")
recorded = {"sha256": locks.read(lock).get(source)} if lock else sources.expected_hash(entry)
download.fetch(
    sources.weights_url(entry),
    path,
    **recorded,
    hint="set `weights: untrained` for this network: a control, not a substitute",
    instead="name a copy of the file as `weights`, with its `sha256`" if lock else None,
)
if lock:
    sha256 = download.sha256_of(path)
    if not recorded["sha256"]:
        job.log.warning("%s is fetched for the first time: its hash %s goes into %s", source, sha256, lock)
    locks.record(lock, source, sha256)
    with files.whole(snakemake.output.sha256) as temporary:
        temporary.write_text(sha256 + "\n")
