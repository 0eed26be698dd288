"""How far each layer of one network agrees with people: with their RDMs, or with their choices."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import joins, store, tables
from texalign.geometry import compare, condensed
from texalign.human import agreement, triplets
from texalign.plan import content

params, inputs, rows = snakemake.params, snakemake.input, []
modules, ours = {}, []
for path in inputs.rdms:
    with store.open_h5(path) as source:
        (files, classes), module = store.read_keys(source), source.attrs["module"]
        modules[Path(path).stem] = module
        ours.append(source["euclidean"][:])
if not inputs.rdms:  # the classes themselves, as a model
    with store.open_h5(inputs.images) as source:
        files, classes = store.read_keys(source)
    modules, ours = {"L1": "class identity"}, [compare.class_identity_rdm(classes)]


def note(words, found):
    """Keep a row a layer and level."""
    for (layer, module), levels in zip(modules.items(), found, strict=True):
        rows.extend({"layer": layer, "module": module, "words": words} | level for level in levels)


for path in inputs.people:
    with store.open_h5(path) as source:
        names, people, observers = store.read_keys(source)[0], source["euclidean"][:], source["observers"][:]
        words, by_class = source.attrs["module"], bool(source.attrs.get("by_class", False))
    joined = joins.by_name(names, files, path)

    people, *observers = (condensed.part_of(rdm, joined.rows, len(names)) for rdm in (people, *observers))
    both = [condensed.part_of(rdm, joined.textures, len(files)) for rdm in ours]
    own, chance = classes[joined.textures], (params.permutations, params.seed)
    note(words, agreement.compare(both, people, observers, own, *chance, by_class))
for path in inputs.choices:
    content.check_any(path, params.recipe["file"])
    chosen, _ = triplets.read_triplets(path, files, path)
    squares = [condensed.square(rdm) for rdm in ours]
    note("choices", triplets.compare(squares, chosen, params.permutations, params.seed))
tables.write(snakemake.output[0], rows, job.about())
