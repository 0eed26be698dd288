"""People, representations, decoding and baselines through a whole study, from files of one's own."""

import csv
import itertools

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from texalign import tables

CLASSES = ("grain1", "grain2", "grain3")
FILES = [f"{name}/{i}.png" for name in CLASSES for i in range(4)]
WORDS = {"grain1": "fine noise dust", "grain2": "coarse noise grains", "grain3": "large blocks squares"}


def write_people(folder):
    """Descriptions, similarities and choices of the finished study's photographs, with gaps and strangers."""
    rng = np.random.default_rng(0)
    described = [(file, word) for file in FILES[1:] for word in WORDS[file[:6]].split()]
    described += [(file, "grainy grain1") for file in FILES[1:]] + [("else/9.png", "nothing")]
    with open(folder / "descriptions.csv", "w", newline="") as file:
        csv.writer(file).writerows([("file", "description"), *described])
    with open(folder / "labels.csv", "w", newline="") as file:
        rows = [("ab"[i % 2], name) for i, name in enumerate(FILES[2:])]
        csv.writer(file).writerows([("label", "file"), *rows])
    places = np.array([CLASSES.index(file[:6]) for file in FILES]) + rng.normal(size=12) * 0.1
    alike = 10 - squareform(pdist(places[:, None])) + np.eye(12)
    order = rng.permutation(12)
    with open(folder / "similar.csv", "w", newline="") as file:
        names = [FILES[i] for i in order]
        rows = [[name, *alike[i, order]] for name, i in zip(names, order, strict=True)]
        csv.writer(file).writerows([["", *names], *rows])
    with open(folder / "odd.csv", "w", newline="") as file:
        rows = [("first", "second", "third", "odd")]
        for three in rng.permutation(list(itertools.combinations(range(12), 3)))[:40]:
            middle = np.median(places[three])
            rows.append((*(FILES[i] for i in three), FILES[three[np.abs(places[three] - middle).argmax()]]))
        # One triplet asked twice, another with another answer, and one with a texture of no study.
        more = rows[1], (*rows[2][:3], min({*rows[2][:3]} - {rows[2][3]})), ("x.png", *rows[1][:2], "x.png")
        csv.writer(file).writerows([*rows, *more])


OWN = {
    "human": {
        "permutations": 50,
        "splits": 2,
        "references": {
            "words": {"kind": "descriptions", "path": "descriptions.csv", "components": 5},
            "similar": {"kind": "rdm", "path": "similar.csv", "similarity": True, "label": "Similar <b>"},
            "odd": {"kind": "triplets", "path": "odd.csv"},
        },
    },
    "baselines": ["pixels", "colour_histogram"],
    "networks": ["lite"],
    "controls": "untrained_all",
    "representations": {"compare": ["gram", "log_gram", "sliced_wasserstein"], "sliced": {"per_class": 3}},
    "decoding": {"splits": 3, "labels": "labels.csv"},
}


@pytest.mark.runs
def test_people_and_what_can_be_read_out(finished):
    pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")
    write_people(finished.folder)
    finished.change(**OWN)
    said = finished.make("aggregate", "human", "references", "decoding", "representations", "exchange")
    # What does not belong together, in one line each.
    (line,) = [line for line in said.splitlines() if line.startswith("texalign: describe_people words:")]
    assert "11 of 12 textures are joined; 1 textures are missing there, as grain1/0.png; 1 names are" in line
    assert "labels.csv: 10 of 12 textures are joined; 2 textures are missing there, as grain1/0.png" in said
    (line,) = [line for line in said.splitlines() if line.startswith("texalign: read_choices odd:")]
    assert "1 names are of no texture, as x.png" in line
    assert "read_similarities similar:" not in said

    results = finished / "results/tiny"
    people = tables.read(results / "human.csv")
    networks = {"lite", "lite_untrained", "pixels", "colour_histogram", "classes", "words", "similar"}
    assert set(people["network"]) == networks
    seen = people.set_index(["reference", "words", "level", "network", "layer"])
    # People who sort by class are best explained by the classes.
    classes = seen.loc[("similar", "similarities", "image", "classes", "L1")]
    assert classes["score"] > 0.7
    assert classes["p_permutation"] == pytest.approx(1 / 51)
    assert seen.loc[("odd", "choices", "image", "similar", "L1"), "score"] > 0.9
    assert seen.loc[("words", "no class words", "image", "classes", "L1"), "score"] > 0.7
    references = tables.read(results / "human_references.csv").set_index(["reference", "words", "level"])
    words = references.loc[("words", "all words", "image")]
    assert (words["n"], words["missing"], words["extra"]) == (11, 1, 1)
    assert 0 < words["split_half"] < words["reliability"] < words["ceiling"] <= 1
    assert words["mi_bits"] > 1
    choices = references.loc[("odd", "choices", "image")]
    assert choices["n_halves"] == 4
    assert choices[["ceiling_low", "ceiling_high"]].tolist() == [1 / 2, 3 / 4]

    summary = tables.read(results / "summary.csv")
    columns = ["words_image", "words_no_class_words_class", "similar_image", "odd_image"]
    assert summary[[f"human_{name}" for name in columns]].notna().all(axis=None)
    assert set(tables.read(results / "human_correlation.csv")["reference"]) == {"words", "similar", "odd"}
    assert set(tables.read(results / "layer_selection.csv")["selection"]) == {"best", "last"}

    what = tables.read(results / "references.csv")
    assert set(what["what"]) == {"people", "images", "network", "control"}
    told = set(what.loc[what["what"] == "people", "module"])
    assert told == {"all words", "no class words", "similarities"}
    decoded = tables.read(results / "decoding.csv")
    assert set(decoded["network"]) == {"lite", "lite_untrained", "pixels", "colour_histogram"}
    assert decoded["accuracy"].between(0, 1).all()
    assert (decoded[["n", "n_labels", "n_fit", "n_test"]] == [10, 2, 8, 2]).all(axis=None)
    compared = tables.read(results / "representations.csv")
    counted = compared.groupby("representation")["n"].max().to_dict()
    assert counted == {"gram": 12, "log_gram": 12, "sliced_wasserstein": 9}
    assert (compared.loc[compared["representation"] == "gram", "difference_bits"] == 0).all()

    import rsatoolbox

    rdms = rsatoolbox.rdm.load_rdm(str(results / "exchange/linear/gram/lite.h5"))
    assert list(rdms.rdm_descriptors["layer"]) == ["L1", "L2", "classes"]
    assert list(rdms.pattern_descriptors["file"]) == FILES
    placed = tables.read(results / "map.csv")
    assert set(placed["network"]) == {"lite", "classes", "words", "similar"}
    for name in ("human", "references", "decoding", "representations", "map"):
        assert (results / f"figures/{name}.png").stat().st_size > 10_000

    # A representation added to the table runs its own jobs only; so does an edited file of people's.
    finished.change(representations={**OWN["representations"], "compare": ["gram", "log_gram", "mean"]})
    both = ("lite", "lite_untrained")
    assert finished.plan("representations") == {
        *(f"compute_rdm linear mean {network} {layer}" for network in both for layer in ("L1", "L2")),
        *(f"{rule} linear mean gram{more} {network}" for network in both for rule, more in AFTER_RDMS),
        *("join_representations", "plot_representations", "representations"),
    }
    (finished / "odd.csv").write_text((finished / "odd.csv").read_text().replace("\nx.png", "\ny.png"))
    assert {job.split()[0] for job in finished.plan("human")} == {
        *("read_choices", "compare_people", "join_people", "correlate_people", "plot_people", "human")
    }
    assert len([job for job in finished.plan("human") if job.startswith("compare_people odd")]) == 7


AFTER_RDMS = (("grow_trees", ""), ("measure_information", " nsb"), ("compare_representation", " nsb"))


@pytest.fixture
def with_people(fresh):
    write_people(fresh.folder)
    return fresh


def test_people_are_asked_for_by_name_alone(with_people):
    """Without the key, nothing of it is planned; with it, all that follows an RDM is done for it too."""
    plain = with_people.plan()
    assert not {job for job in plain if "people" in job or "references" in job or "decode_classes" in job}
    assert with_people.plan("human") == {"human"}
    with_people.change(human=OWN["human"])
    planned = with_people.plan()
    assert plain < planned
    rules = {"describe_people words", "read_similarities similar", "join_people"}
    assert rules < planned
    assert {job.split()[0] for job in planned - plain} == {
        *("describe_people", "read_similarities", "read_choices", "compare_people", "join_people"),
        *("grow_trees", "measure_information", "correlate_people", "plot_people"),
    }


def test_descriptions_of_dtd_are_fetched(fresh):
    fresh.change(human={"references": {"people": {"kind": "descriptions"}}}, controls="untrained_all")
    planned = fresh.plan("human")
    assert {"fetch_descriptions", "describe_people people"} < planned
    fresh.change_model("squeezenet1_1", weights="IMAGENET1K_V1")
    fresh.change(networks=["squeezenet1_1"], baselines=["portilla_simoncelli"])
    planned = fresh.plan("references", "decoding")
    assert {"compute_gram linear squeezenet1_1_untrained", "describe_images portilla_simoncelli"} < planned


def test_classes_of_dtd_are_decoded_on_its_own_splits(fresh):
    fresh.change(dataset={"source": "dtd"}, networks=["alexnet"])
    assert {"fetch_dtd", "unpack_dtd_labels", "decode_classes linear gram alexnet"} < fresh.plan("decoding")
    write_people(fresh.folder)
    fresh.change(decoding={"labels": "labels.csv"})
    assert "unpack_dtd_labels" not in fresh.plan("decoding")
