"""The first pages of the report: the answer, and all networks."""

from texalign import job

job.start(snakemake)

from pathlib import Path

from texalign import escaping, tables
from texalign.figures import information, style
from texalign.plan.labels import labels
from texalign.report import overview, pages, sentences

inputs, output = snakemake.input, snakemake.output
params = escaping.unescape(dict(snakemake.params.items()))
names = labels(params["networks"])
table, summary, scored, uncertainty = (
    tables.read(inputs[key]) for key in ("information", "summary", "networks", "uncertainty")
)
main = table[table["k"] == table["n_classes"]]
networks = overview.networks(main, scored, names)

figure = information.mutual_information_by_layer(main, params["networks"], intervals=True)
style.save(figure, svg=output.chart)
chart = {"file": Path(output.chart).name, "width": 960, "height": 520, "lazy": False}
chart |= {"alt": overview.describe_bits(main, names), "caption": overview.CHART}

common = {"study": params["study"], "root": "", "pages": pages.ALWAYS, "chart": chart}
answers = [sentences.of_information(main[~main["control"]], names), sentences.of_scores(uncertainty)]
values = {"sentences": answers, "facts": overview.facts(main, params["choices"])}
values |= {"networks": overview.listed(networks), "missing": overview.missing(networks, params["absent"])}
values |= {"differences": params["differences"], "title": "Overview", "here": "index.html"}
pages.write_page(output.overview, "overview.html", **common, **values)

rows, links = overview.layers_table(summary, names, params["metrics"])
values = {"layers": pages.table(rows, params["columns"], {"network": links}), "figures": []}
values |= {"title": "Networks", "here": "networks.html"}
pages.write_page(output.networks, "networks.html", **common, **values)
pages.write_script(output.pages, "pages", pages.ALWAYS)
pages.write_static(output.static)
for sentence in answers:
    job.log.info("%s", sentence.text)
