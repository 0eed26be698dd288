"""Bad input: one clear line on the terminal that names file, key or value, and nothing half-written."""

import shutil
from types import SimpleNamespace

import pytest
from PIL import Image
from studies import assert_one_line, assert_only_line, make_photographs, refusal

from texalign import textures

# ---------------------------------------------------------------- before any job


CONFIGS = [
    ({"readuot": "relu"}, ["study.yaml", "unknown key 'readuot'", "readout,", "did you mean readout?"]),
    (
        {"clustering": {"method": "ward"}},
        ["study.yaml", "clustering: unknown key 'method'; allowed: on, k"],
    ),
    ({"image": {"size": "big"}}, ["study.yaml", "image: size: 'big' is not of type 'integer'"]),
    ({"readout": "sigmoid"}, ["readout: 'sigmoid' is not one of ['linear', 'relu']"]),
    ({"clustering": {"on": "pixels"}}, ["clustering: on: 'pixels'", "'gram', 'rdm_rows', 'cosine'"]),
    ({"clustering": {"k": [1]}}, ["clustering: k: 0: 1 is less than the minimum of 2"]),
    ({"image": {"size": 64.0}}, ["study.yaml", "image: size: 64.0 is not of type 'integer'", "write 64"]),
    ({"synthesis": {"seeds": [2**70]}}, ["synthesis: seeds: 0: 1180591620717411303424 is greater"]),
    ({"synthesis": {"learning_rate": float("nan")}}, ["learning_rate: nan", "write a finite number"]),
    ({"synthesis": {"loss_options": {"layer_weights": {"L1": -1}}}}, ["layer_weights: L1: -1 is less than"]),
    ({"networks": [18]}, ["networks: 0: 18 is not of type 'string'", 'write it in quotes, "18"']),
    ({"networks": []}, ["networks: [] should be non-empty"]),
    (
        {"networks": ["resnet81"]},
        ["study.yaml", "networks: 'resnet81' is not in models.yaml; nearest: resnet18"],
    ),
    ({"controls": ["alexnet"]}, ["alexnet is in networks and in controls; keep one of them"]),
    ({"models": "my-models.yaml"}, ["models: my-models.yaml: no such file; correct the path"]),
    ({"brainscore": "scores.csv"}, ["brainscore: scores.csv: no such file; correct the path"]),
    (
        {"dataset": {"source": "folder", "path": "photos"}},
        ["dataset: path: 'photos' is no folder; give the one that holds <class>/<image>"],
    ),
    ({"dataset": {"source": "folder"}}, ["dataset: path: None is no folder"]),
    ({"clustering": {"k": [2, 13]}}, ["study.yaml", "k: 13 clusters of 12 images", "use 2 ... 12"]),
    (
        {"clustering": {"k": [241]}, "dataset": {"source": "procedural"}},
        [f"k: 241 clusters of {len(textures.procedural())} images"],
    ),
    ({"clustering": {"k": [5641]}, "dataset": {"source": "dtd"}}, ["k: 5641 clusters of 5640 images"]),
    (
        {"clustering": {"k": [142]}, "dataset": {"source": "dtd", "per_class": 3}},
        ["k: 142 clusters of 141 images"],
    ),
]

ENTRIES = [
    ({"wieghts": "x"}, ["models.yaml: alexnet: unknown key 'wieghts'", "did you mean weights?"]),
    ({"layers": "features.0"}, ["models.yaml: alexnet: layers: 'features.0' is not of type 'array'"]),
    ({"weights": "Untrained"}, ["models.yaml: alexnet: weights: 'Untrained' is unknown; write untrained"]),
    ({"label": 18}, ["models.yaml: alexnet: label: 18 is not of type 'string'", 'in quotes, "18"']),
    ({"weights": "mine.pth"}, ["models.yaml: alexnet: 'sha256' is a required property"]),
    (
        {"weights": "mine.pth", "sha256": 64 * "0"},
        ["models.yaml: alexnet: weights: mine.pth: no such file; put it there, or correct the path"],
    ),
]

TABLES = [
    ("alexnet: [", ["models.yaml: cannot be read as YAML", "line 2"]),
    ("a: {}\nb: {}\na: {}", ["models.yaml: line 3: the key a stands twice, first in line 1; keep one"]),
    ("152: {}", ["models.yaml: line 1: the key 152 is not read as a text", 'write it in quotes, "152"']),
    ("no: {}", ["models.yaml: line 1: the key no is not read as a text"]),
    ("- alexnet", ["models.yaml: ['alexnet'] is no mapping"]),
    ("alexnet: torchvision", ["models.yaml: alexnet: 'torchvision' is no mapping"]),
]

SCORES = [
    (
        ("network,average_vision,", "network,average,"),
        ["study.yaml", "brainscore.csv: no column average_vision; needed are"],
    ),
    (
        ("alexnet,0", "alexnet,,0"),
        ["study.yaml", "row 1 has 17 cells, and its header 16; leave a cell empty"],
    ),
    (("vgg16,", "vgg19,"), ["brainscore: resources/brainscore.csv: network vgg19 has two rows; keep one"]),
]


def named(cases):
    return [
        pytest.param(kind, change, words, id=f"{kind}-{change if kind == 'table' else ','.join(change)}")
        for kind, listed in cases.items()
        for change, words in listed
    ]


CASES = named({"config": CONFIGS, "entry": ENTRIES, "table": TABLES, "scores": SCORES})


@pytest.mark.parametrize(("kind", "change", "words"), CASES)
def test_config_and_tables(fresh, kind, change, words):
    """One line and no more: none of snakemake's own around it, which name files of rules."""
    if kind == "config":
        fresh.change(**change)
    elif kind == "entry":
        fresh.change_model("alexnet", **change)
    elif kind == "scores":
        fresh.edit("resources/brainscore.csv", *change)
    else:
        fresh.table = change
        fresh.write()
    assert_only_line(refusal(fresh, "--dry-run"), *words)


def test_a_key_that_stands_twice_in_a_config(fresh):
    (fresh / "study.yaml").write_text((fresh / "study.yaml").read_text() + "study: again\n")
    assert_only_line(refusal(fresh, "--dry-run"), "study.yaml: line ", "the key study stands twice")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"study: caf\xe9", "study.yaml: is not UTF-8 text (byte 0xe9); save it as UTF-8"),
        (b"networks:\n\t- alexnet", "study.yaml: cannot be read as YAML (while scanning"),
        (b"- study", "study.yaml: is no mapping; write one `key: value` a line"),
        (b"study: &a [*a]", "study.yaml: line 1: is nested more than 50 deep, or in itself"),
        (b"__use_yte__: true\nstudy: ?1/0", "study.yaml: cannot be read (Error processing template"),
    ],
)
def test_a_config_file_that_cannot_be_read(fresh, content, words):
    """Snakemake reads it before the workflow, and would answer with a traceback."""
    (fresh / "study.yaml").write_bytes(content)
    assert_only_line(refusal(fresh, "--dry-run"), words)


def test_config_on_the_command_line_that_cannot_be_read(fresh):
    assert_only_line(refusal(fresh, "--dry-run", "--config", "study"), "--config: ", "name=value pairs")
    said = refusal(fresh, "--dry-run", "--config", "dataset={per_class: 2, per_class: 3}")
    assert_only_line(said, "--config dataset: line 1: the key per_class stands twice")


def test_the_repositorys_config_that_cannot_be_read(fresh):
    (fresh / "config/config.yaml").write_bytes(b"study: caf\xe9")
    assert_only_line(refusal(fresh, "--dry-run"), "config/config.yaml: is not UTF-8 text (byte 0xe9)")


def test_a_table_that_is_not_utf_8(fresh):
    (fresh / "models.yaml").write_bytes(b"caf\xe9: 1")
    assert_only_line(refusal(fresh, "--dry-run"), "models.yaml: is not UTF-8 text (byte 0xe9); save it")


def test_numbers_from_the_command_line(fresh):
    fresh.make("--dry-run", "--config", "dataset={source: procedural, classes: 3, per_class: 2}")
    said = refusal(fresh, "--dry-run", "--config", "dataset={per_class: two}")
    assert_only_line(said, "dataset: per_class: 'two' is not of type 'integer', 'null'")


def test_more_clusters_than_photographs(finished):
    finished.change(clustering={"k": [13]})
    assert_only_line(refusal(finished, "--dry-run"), "study.yaml", "k: 13 clusters of 12 images")


# ---------------------------------------------------------------- networks, in real jobs


@pytest.fixture(scope="module")
def bad_networks(finished_study, tmp_path_factory):
    """One run with one bad network for each of the ways in which a network can be bad."""
    study = finished_study.copy(tmp_path_factory.mktemp("networks"))
    (study / "mine.pth").write_bytes(b"no weights")
    bad = {
        "layer": {"layers": ["features.0", "feature.3"]},
        "flat": {"layers": ["classifier.1"]},
        "builder": {"architecture": "alexnat"},
        "hash": {"weights": "mine.pth", "sha256": 64 * "0"},
    }
    for network, keys in bad.items():
        study.change_model(network, **study.table["alexnet"] | keys)
    study.change_model("url", **study.table["lite"])
    study.change_model("url", sha256=64 * "1")
    study.change(networks=["alexnet", *bad, "url"])
    output = refusal(study, "gram")
    return SimpleNamespace(study=study, output=output)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("layer", ["layers: the network has no module 'feature.3'; nearest: features.3", "make layers"]),
        (
            "flat",
            ["layers: the output of classifier.1 is (1, 4096), neither (batch, channels, height, width)"],
        ),
        ("builder", ["architecture: 'alexnat' is no torchvision model; nearest: alexnet"]),
        ("hash", ["mine.pth: expected sha256 0000", "got ", "replace the file, or correct the hash"]),
        ("url", ["efficientnet-lite0-57934424.pth: expected sha256 1111", "nothing was written to"]),
    ],
)
def test_network(bad_networks, network, words):
    rule = "fetch_weights" if network == "url" else "compute_gram linear"
    assert_one_line(bad_networks.output, f"texalign: {rule} {network}: ", *words)
    assert bad_networks.output.count(f"texalign: {rule} {network}: ") == 1
    assert not (bad_networks.study / f"results/tiny/gram/linear/{network}.h5").exists()
    assert not (bad_networks.study / f"resources/weights/{network}.pth").exists()


def test_no_line_of_a_rules_file_stands_around_a_refusal(bad_networks):
    """A plain run: the default profile chooses who tells it."""
    assert ".smk" not in bad_networks.output
    assert "Error" not in bad_networks.output
    assert bad_networks.output.count("\nfailed: ") == 5


def test_a_good_network_beside_bad_ones_stays(bad_networks):
    assert (bad_networks.study / "results/tiny/gram/linear/alexnet.h5").exists()


# ---------------------------------------------------------------- images, in real jobs


def photographs(study, spoil):
    folder = make_photographs(study / "photographs", classes=2, per_class=2)
    spoil(folder)
    study.change(dataset={"source": "folder", "path": "photographs"})


def one_image(folder):
    (folder / "grain2/0.png").unlink()


def one_class(folder):
    for image in (folder / "grain2").iterdir():
        image.unlink()
    (folder / "grain2").rmdir()


def empty_image(folder):
    (folder / "grain2/0.png").write_bytes(b"")


def truncated_image(folder):
    image = folder / "grain2/0.png"
    image.write_bytes(image.read_bytes()[:100])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (one_image, ["photographs/grain2: 1 images; a class needs at least 2; add some, or remove it"]),
        (one_class, ["photographs: 1 class folders; at least 2 are needed"]),
        (
            empty_image,
            ["grain2/0.png: cannot be decoded (the file is empty); replace the image, or remove it"],
        ),
        (truncated_image, ["grain2/0.png: cannot be decoded (", "replace the image, or remove it"]),
    ],
)
def test_images(fresh, spoil, words):
    photographs(fresh, spoil)
    assert_one_line(refusal(fresh, "results/tiny/images.h5"), "texalign: decode_images: ", *words)
    assert not (fresh / "results/tiny/images.h5").exists()


def test_flat_images_are_no_bad_input(fresh):
    """Their Gram matrices are not zero, and two that are equal have the distance zero."""

    def flatten(folder):
        for i in range(2):
            Image.new("RGB", (24, 24), (90, 90, 90)).save(folder / f"grain1/{i}.png")

    photographs(fresh, flatten)
    fresh.change(networks=["alexnet"])
    fresh.make("results/tiny/clusters/linear/gram/cosine/alexnet.h5")


# ---------------------------------------------------------------- the disk


def test_full_disk(fresh, small_disk):
    shutil.rmtree(fresh / "results")
    (fresh / "results").symlink_to(small_disk)
    fresh.change(image={"size": 224})
    output = refusal(fresh, "results/tiny/images.h5")
    assert_one_line(
        output, "texalign: decode_images: results/tiny/images.h5: no space left on the disk; free some"
    )
    assert not (small_disk / "tiny/images.h5").exists()
