"""RDM of a matrix of one's own, as those of networks are, and how far its observers agree."""

from texalign import job

job.start(snakemake)

from texalign import joins, store, tables
from texalign.human import agreement, similarities
from texalign.plan import content

where, recipe, output = snakemake.params.where, snakemake.params.recipe, snakemake.output
with store.open_h5(snakemake.input.images) as source:
    files, classes = store.read_keys(source)
content.check_any(snakemake.input.file, recipe["file"])
found = similarities.read_similarities(snakemake.input.file, recipe["similarity"])
joined, observers, by_class = similarities.of_textures(found, files, classes, where)
if left := joins.told(joined, where):
    job.log.warning("%s", left)
own_files, own_classes = files[joined.textures], classes[joined.textures]
halves = agreement.observer_halves(observers, recipe["splits"], recipe["seed"])
rows = []
for level, row in agreement.reliability(halves, observers, own_classes).items():
    left = {"missing": len(joined.missing), "extra": len(joined.extra), "n_halves": len(own_files)}
    if level == "class" or not by_class:
        rows.append({"words": "similarities", "level": level, "n": len(own_files)} | left | row)
tables.write(output.reliability, rows, job.about())
with store.create_h5(output.rdms[0], job.about()) as file:
    store.write_people(file, observers.mean(axis=0), observers, "similarities")
    store.write_keys(file, own_files, own_classes)
    file.attrs.update(by_class=by_class)
