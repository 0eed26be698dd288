"""RDMs of people's descriptions of the textures, with all words and without those that name a class."""

from texalign import job

job.start(snakemake)

import itertools

import numpy as np

from texalign import joins, store, tables
from texalign.geometry.condensed import condensed_length
from texalign.human import agreement, descriptions
from texalign.plan import content

where, recipe, output = snakemake.params.where, snakemake.params.recipe, snakemake.output
with store.open_h5(snakemake.input.images) as source:
    files, classes = store.read_keys(source)
content.check_any(snakemake.input.file, recipe["file"] or descriptions.SHA256)
found = descriptions.read_descriptions(snakemake.input.file)
names = list(found)
joined = joins.by_name(names, files, where)
if left := joins.told(joined, where):
    job.log.warning("%s", left)
texts = [found[names[row]] for row in joined.rows]
own_files, own_classes, rows = files[joined.textures], classes[joined.textures], []
# Halves need two descriptions of each texture.
several = np.flatnonzero([len(own) > 1 for own in texts])
named = descriptions.class_beginnings(classes)
for path, words, without in zip(output.rdms, descriptions.WORDS, (set(), named), strict=True):
    options = (without, recipe["components"], recipe["seed"])
    splits = descriptions.split_rdms([texts[i] for i in several], recipe["splits"], *options)
    first = next(splits)
    observers = first if len(several) == len(texts) else np.empty((0, condensed_length(len(texts))))
    agreed = agreement.reliability(itertools.chain([first], splits), first, own_classes[several])
    for level, row in agreed.items():
        left = {"missing": len(joined.missing), "extra": len(joined.extra), "n_halves": len(several)}
        rows.append({"words": words, "level": level, "n": len(texts)} | left | row)
    with store.create_h5(path, job.about()) as file:
        store.write_people(file, descriptions.rdm(texts, *options), observers, words)
        store.write_keys(file, own_files, own_classes)
tables.write(output.reliability, rows, job.about())
