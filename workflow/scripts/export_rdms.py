"""RDMs of one network's layers, and of the classes as a model, as a file of rsatoolbox."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import store
from texalign.geometry.compare import class_identity_rdm
from texalign.human import exchange

files, classes = store.common_keys(snakemake.input.rdms)
rdms, modules = [], []
for path in snakemake.input.rdms:
    with store.open_h5(path) as source:
        rdms.append(source["euclidean"][:])
        modules.append(source.attrs["module"])
about = {
    "network": [snakemake.wildcards.network] * len(rdms) + ["classes"],
    "layer": [Path(path).stem for path in snakemake.input.rdms] + ["classes"],
    "module": [*modules, "class identity"],
}
rdms.append(class_identity_rdm(classes))
exchange.save_rdms(snakemake.output[0], rdms, about, files, classes)
