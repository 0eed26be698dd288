"""Accuracy with which a linear classifier reads the classes, or other labels, out of each layer."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import decoding, store, tables
from texalign.plan import content

params, inputs = snakemake.params, snakemake.input
for given, expected in ((inputs.labels, params.labels), (inputs.official, None)):
    content.check_any(given or None, expected)  # of DTD's own, as they were unpacked
files, labels = store.common_keys(inputs.rdms)
kept = slice(None)
if inputs.labels:
    kept, labels = decoding.read_labels(inputs.labels, files)
if inputs.official:
    splits = decoding.official(inputs.official, files)
else:
    splits = decoding.stratified(labels, params.splits, params.seed)
rows = []
for path in inputs.rdms:
    with store.open_h5(path) as source:
        points, share = decoding.coordinates(source["euclidean"][:], params.rank, params.seed)
        about = {key: source.attrs[key] for key in ("module", "channels", "positions")}
    found = decoding.decode(points[kept], labels, splits)
    rows.append({"layer": Path(path).stem} | about | found | {"rank": points.shape[1], "variance": share})
tables.write(snakemake.output[0], rows, job.about())
