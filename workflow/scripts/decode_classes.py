"""Accuracy with which a linear classifier reads the classes, or other labels, out of each layer."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import decoding, store, tables

params, inputs = snakemake.params, snakemake.input
rows = []
for path in inputs.rdms:
    with store.open_h5(path) as source:
        (files, labels), euclidean = store.read_keys(source), source["euclidean"][:]
        about = {key: source.attrs[key] for key in ("module", "channels", "positions")}
    kept = slice(None)
    if inputs.labels:
        kept, labels = decoding.read_labels(inputs.labels, files)
    points, share = decoding.coordinates(euclidean, params.rank, params.seed)
    if inputs.official:
        splits = decoding.official(inputs.official, files)
    else:
        splits = decoding.stratified(labels, params.splits, params.seed)
    found = decoding.decode(points[kept], labels, splits)
    rows.append({"layer": Path(path).stem} | about | found | {"rank": points.shape[1], "variance": share})
tables.write(snakemake.output[0], rows, job.about())
