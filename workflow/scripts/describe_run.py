"""The study as a Workflow Run RO-Crate: what made which file, and the workflow itself."""

from texalign import job

job.start(snakemake)

import json
import shutil
from importlib import metadata
from pathlib import Path

from texalign import escaping
from texalign.files import whole
from texalign.report import crate, provenance

inputs, output = snakemake.input, snakemake.output
params = escaping.unescape(dict(snakemake.params.items()))
study = Path(output.crate).parent
for place, source in params["definition"].items():
    with whole(study / place) as temporary:
        shutil.copyfile(source, temporary)
choices = Path(output.workflow, "config.json")
with whole(choices) as temporary:
    temporary.write_text(json.dumps(params["choices"], indent=1, ensure_ascii=False), encoding="utf-8")
written = [*params["definition"], choices.relative_to(study).as_posix()]
made = provenance.listed(study, provenance.jobs(inputs.jobs))
pages = [Path(path).relative_to(study).as_posix() for path in inputs.pages]
about = crate.describe(study, params["study"], made, written, metadata.version("snakemake"), pages)
with whole(output.crate) as temporary:
    temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
job.log.info("%d entities, %d files", len(about["@graph"]), len(made))
