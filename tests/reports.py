"""A small report, made by the library from a known RDM, with names that nobody would choose."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from texalign import store, tables
from texalign.geometry import condensed, distances, ward
from texalign.information import classes as recovery
from texalign.plan import pages as plan
from texalign.report import data, embedding, further, layers, pages, provenance, thumbnails

#: Names of classes: markup, quotes, ways out of the folder, long, in other scripts and directions.
CLASSES = [
    "<script>document.title = 'broken'</script>",
    "</script><img src=x onerror=alert(1)>",
    "../\"quoted\" & 'apart'",
    "long" * 75,
    "\N{FIRE} \u05d8\u05e7\u05e1\u05d8\u05d5\u05e8\u05d4 \u7eb9\u7406",
    "two\nlines\u2028three",
]


class Report:
    """A report in a folder, and what it was made from.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Classes, of six textures each.
    side : int
        Largest side of the matrix.
    """

    def __init__(self, folder, names=CLASSES, side=layers.SIDE):
        rng = np.random.default_rng(0)
        self.folder, self.names = Path(folder), sorted(names)
        self.classes = np.repeat(self.names, 6)
        self.files = [f"{name}/{i}.png" for i, name in enumerate(self.classes)]
        centres = rng.normal(size=(len(names), 4)).repeat(6, axis=0)
        self.condensed = distances.rdm((centres + 0.4 * rng.normal(size=centres.shape)).astype(np.float32))
        self.square = condensed.square(self.condensed)
        self.tree = ward.ward_tree(self.condensed)
        self.clusters = ward.cut(self.tree, len(names))
        images = rng.integers(0, 256, (len(self.files), 24, 24, 3), np.uint8)
        thumbnails.write(self.folder / "textures", self.files, self.classes, images)
        self.write_layer(side)
        self.write_map()
        self.write_pages()

    def write_layer(self, side):
        by_k = pd.DataFrame({"k": range(1, 21), "mi_bits": 0.1, "adjusted_mutual_information": 0.05})
        value = layers.layer(self.condensed, self.classes, self.tree, by_k, side)
        place = self.folder / "networks/net"
        pages.write_script(place / "L1.js", "layer", value)
        own = {"own_distance": 1.0, "nearest_class": self.names[0], "nearest_distance": 2.0}
        labels = pd.DataFrame({"file": self.files, "class": self.classes}).assign(**own)
        confusions = pd.DataFrame(recovery.confusions(self.classes, self.clusters))
        self.pairs = layers.confused_pairs(confusions, labels, self.files)
        values = {"name": self.names[0], "layer": "L1", "layers": ["L1"], "module": self.names[1]}
        values |= {"channels": 3, "positions": 4, "bits": "Bits.", "k": len(self.names), "pairs": self.pairs}
        values |= {"largest_k": 20, "n": len(self.files), "metric": "Distance", "explained": self.explained()}
        values |= {
            "exact": value["matrix"]["exact"],
            "remark": "Remark.",
            "title": self.names[0],
            "study": self.names[2],
        }
        pages.write_page(
            place / "L1.html", "layer.html", root="../../", pages=pages.ALWAYS, here="", **values
        )

    def write_map(self):
        self.places = embedding.embed(self.condensed)
        value = {"places": data.packed(self.places), "clusters": self.clusters.tolist()}
        for network in ("net", "other"):
            pages.write_script(self.folder / f"networks/{network}/map.js", "map", value)
        networks = [
            {"network": network, "name": self.names[0], "layer": "L1"} for network in ("net", "other")
        ]
        common = {"study": self.names[2], "root": "", "pages": pages.ALWAYS}
        pages.write_page(
            self.folder / "map.html", "map.html", networks=networks, title="Map", here="map.html", **common
        )

    @staticmethod
    def explained():
        return {"confusion": "cosine", "together": "probability"}

    def write_pages(self):
        rows = pd.DataFrame({"network": self.names, "bits": [3.0, 10, 2, np.nan, -1, 5]})
        links = [f"networks/net/L1.html#{i}" for i in range(len(rows))]
        chart = {"file": "textures/sheet0.jpg", "alt": self.names[0], "caption": "c", "lazy": False}
        common = {"study": self.names[2], "root": "", "pages": pages.ALWAYS}
        common |= {"chart": chart | {"width": 96, "height": 96}}
        pages.write_page(
            self.folder / "networks.html",
            "networks.html",
            **common,
            layers=pages.table(rows, {"bits": self.names[0]}, {"network": links}),
            people=self.names[:2],
            figures=[],
            title="Networks",
            here="networks.html",
        )
        networks = [{"name": name, "weights": name, "link": links[0]} for name in self.names]
        pages.write_page(
            self.folder / "index.html",
            "overview.html",
            **common,
            sentences=[{"text": name, "verdict": "inconclusive"} for name in self.names[:2]],
            facts=[(name, name) for name in self.names],
            confused=[
                {"name": self.names[0], "layer": "L1", "link": links[0], "pairs": [(*self.names[:2], 0.5)]}
            ],
            networks=networks,
            missing=self.names,
            differences=[[name] * 5 for name in self.names],
            title="Overview",
            here="index.html",
        )
        self.write_further()
        pages.write_script(self.folder / "pages.js", "pages", pages.ALWAYS)
        pages.write_static(self.folder / "static")

    def write_further(self):
        study = self.folder.parent / "study"
        for name in ("classes", "contact/net", "contact/other"):
            Image.new("RGB", (40, 30)).save(_made(study / f"figures/{name}.png"))
        rows = pd.DataFrame({"layer": "L1", "metric": self.names, "pearson_r": 0.5})
        tables.write(
            study / "brainscore_uncertainty.csv", rows, {"rule": "a_rule", "params": {"x": self.names}}
        )
        tables.write(study / "by_hand.csv", rows)
        anyone = pd.DataFrame(
            {"network": self.names, "label": self.names, "family": self.names, "score": 0.5}
        )
        for name in ("decoding", "representations", "multiverse/null", "human", "synthesis/scores"):
            tables.write(study / f"{name}.csv", anyone, {"rule": "join", "params": {"x": self.names}})
        with store.create_h5(study / "rdm/net/L1.h5", {"rule": "compute_rdm"}) as file:
            file.attrs["weights_sha256"] = self.names[0]
        _made(study / "benchmarks/compute_rdm/net/L1.tsv").write_text("s\tmax_rss\n1.5\t-\n")
        _made(study / "figures/classes.pdf").write_text(self.names[0])
        noted = [
            "output_file\tdate\trule\tlog-file(s)\tinput-file(s)\tshellcmd\tstatus\tplan",
            f"{study}/rdm/net/L1.h5\t-\tcompute_rdm\t{study}/logs/compute_rdm/net/L1.log\t{study}/images.h5,w.pth\t-\tok\tno",
            f"{study}/figures/classes.png\t-\tplot\t{study}/logs/plot.log\t{study}/brainscore_uncertainty.csv\t-\tok\tno",
            f"{study}/figures/classes.pdf\t-\tplot\t{study}/logs/plot.log\t{study}/brainscore_uncertainty.csv\t-\tok\tno",
            f"{study}/gone.csv\t-\tplot\t-\t-\t-\tmissing\tno",
        ]
        (study / "jobs.tsv").write_text("\n".join(noted) + "\n")
        self.found = plan.found(study)
        explained = {"": {"metric": "of all"}, "Correlation with scores": {"pearson_r": self.names[0]}}
        common = {"study": self.names[2], "root": "../", "pages": pages.ALWAYS}
        place = self.folder / "more"
        for page, found in self.found.items():
            told = {"classes": self.names[1], "contact": "Of {network}. All of them."}
            parts = further.parts(study, found, explained, told, {"net": self.names[0]}, place)
            values = {"parts": parts, "title": plan.PAGES[page][0], "here": ""}
            pages.write_page(place / f"{page}.html", "parts_page.html", **common, **values)
        self.made = provenance.listed(study, provenance.jobs(study / "jobs.tsv"))
        values = {"files": self.made, "title": "Provenance", "here": ""}
        pages.write_page(place / "provenance.html", "provenance.html", **common, **values)


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
