"""The first pages of the report: the answer, and all networks."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import escaping, tables
from texalign.figures import information, style
from texalign.plan.labels import labels
from texalign.plan.pages import PAGES
from texalign.report import further, overview, pages, provenance, sentences

inputs, output = snakemake.input, snakemake.output
params = escaping.unescape(dict(snakemake.params.items()))
names = labels(params["networks"])
table, summary, scored, uncertainty = (
    tables.read(inputs[key]) for key in ("information", "summary", "networks", "uncertainty")
)
main = table[table["k"] == table["n_classes"]]
networks = overview.networks(main, scored, names)

style.save(information.mutual_information_by_layer(main, params["networks"], True), svg=output.chart)
chart = {"file": Path(output.chart).name, "width": 960, "height": 520, "lazy": False}
chart |= {"alt": overview.describe_bits(main, names), "caption": overview.CHART}

more = [(PAGES[page][0], f"more/{page}.html") for page in params["further"]]
more = [*pages.ALWAYS, *more, ("Provenance", "more/provenance.html")]
common = {"study": params["study"], "root": "", "pages": more, "chart": chart}
answers = [sentences.of_information(main[~main["control"]], names), sentences.of_scores(uncertainty)]
people = sentences.of_people(tables.read(inputs.people)) if inputs.people else []
facts = [*overview.facts(main, params["choices"]), *(("people", text) for text in people)]
confused = overview.confused(networks, tables.read(inputs.confusions))
values = {"sentences": answers, "facts": facts, "confused": confused}
values |= {"networks": overview.listed(networks), "missing": overview.missing(networks, params["absent"])}
values |= {"differences": params["differences"], "title": "Overview", "here": "index.html"}
pages.write_page(output.overview, "overview.html", **common, **values)

rows, links = overview.layers_table(summary, names, params["metrics"])
explained = overview.explain(rows.columns, params["sections"][""])
values = {"layers": pages.table(rows, explained, {"network": links}), "people": people, "figures": []}
values |= {"title": "Networks", "here": "networks.html"}
pages.write_page(output.networks, "networks.html", **common, **values)
values = {"networks": networks.to_dict("records"), "title": "Map", "here": "map.html"}
pages.write_page(output.map, "map.html", **common, **values)

folder, common["root"] = Path(output.more), "../"
study = Path(output.overview).parents[1]
for page, found in params["further"].items():
    parts = further.parts(study, found, params["sections"], params["captions"], names, folder)
    values = {"title": PAGES[page][0], "here": f"more/{page}.html", "parts": parts}
    pages.write_page(folder / f"{page}.html", "parts_page.html", **common, **values)
made = provenance.listed(study, provenance.jobs(inputs["jobs"]))
values = {"title": "Provenance", "here": "more/provenance.html", "files": made}
pages.write_page(folder / "provenance.html", "provenance.html", **common, **values)
pages.write_script(output.pages, "pages", more)
pages.write_static(output.static)
for sentence in answers:
    job.log.info("%s", sentence.text)
