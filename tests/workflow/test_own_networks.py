"""Networks of one's own, from the table to the files: right numbers, or one line that names the module."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from studies import Study, assert_one_line, assert_only_line, make_photographs, refusal
from test_reruns import JOINTLY, whole

from texalign import gram, store

NETS = '''
import torch
import torch.nn.functional as F
from torch import nn


class Last(nn.Module):
    """Maps that end in their channels, as Swin's: (b, H, W, C)."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 12, 4, stride=4)
        self.norm = nn.LayerNorm(12)
        self.mlp = nn.Linear(12, 24)

    def forward(self, x):
        return self.mlp(self.norm(self.embed(x).permute(0, 2, 3, 1))).mean((1, 2))


class Dropped(nn.Module):
    """Dropout that evaluation mode does not switch off."""

    def __init__(self):
        super().__init__()
        self.first, self.noisy, self.last = nn.Conv2d(3, 4, 3), Noisy(), nn.Conv2d(4, 4, 3)

    def forward(self, x):
        return self.last(self.noisy(self.first(x)))


class Noisy(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)


class Detector(nn.Module):
    """Resizes every image to a size of its own, as torchvision's detection networks do."""

    def __init__(self):
        super().__init__()
        self.transform, self.body = Resized(), nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())

    def forward(self, x):
        return self.body(self.transform(x))


class Resized(nn.Module):
    def forward(self, x):
        return F.interpolate(x, (40, 40))


def dark():
    """A black image's maps are zero."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU())


def two():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3))
'''
PLAIN = {"preprocess": {"mean": [0, 0, 0], "std": [1, 1, 1]}, "weights": "untrained"}
ENTRIES = {
    "last": {"architecture": "nets:Last", "layers": ["embed", "norm", "mlp"]},
    "dropped": {"architecture": "nets:Dropped", "layers": ["first", "last"]},
    "detector": {"architecture": "nets:Detector", "layers": ["body.0"]},
    "dark": {"architecture": "nets:dark", "layers": ["0", "1"]},
    "taught": {
        **{"architecture": "nets:two", "layers": ["0", "2"], "weights": "taught.pth"},
        **{"state_key": "ema.teacher", "strip_prefix": "encoder_q."},
    },
}
REFUSED = {
    "dropped": ["change from one pass to the next", "module noisy (Noisy)"],
    "detector": ["resizes every image to 40x40 px, because of module transform (Resized)"],
}
TREES = "results/tiny/clusters/linear/gram/{}/dark.h5"


@pytest.fixture(scope="module")
def own(made_once):
    """One run with them all: those that cannot be right stop none of the others."""

    def build(folder):
        study = Study(
            folder,
            {
                **{"dataset": {"source": "folder", "path": "photographs"}, "image": {"size": 32}},
                "networks": list(ENTRIES),
            },
            {network: PLAIN | entry for network, entry in ENTRIES.items()},
            copy=not folder.exists(),
        )
        if not (folder / "output").exists():
            (folder / "nets.py").write_text(NETS)
            make_photographs(folder / "photographs", classes=2, per_class=2, size=32)
            Image.new("RGB", (32, 32)).save(folder / "photographs/grain2/1.png")
            write_weights(folder / "taught.pth")
            study.change_model("taught", sha256=sha256(folder / "taught.pth"))
            trees = [TREES.format(on) for on in ("gram", "cosine")]
            (folder / "output").write_text(refusal(study, "--", "gram", "results/layers/last.tsv", *trees))
        return study

    study = made_once("own-networks", build, "results/tiny/images.h5")
    return SimpleNamespace(study=study, output=(study / "output").read_text())


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_weights(path):
    """A teacher's weights beside its student's, and each beside the weights of a momentum encoder."""
    torch.manual_seed(7)
    shapes = {"0.weight": (4, 3, 3, 3), "0.bias": (4,), "2.weight": (8, 4, 3, 3), "2.bias": (8,)}
    start = ("encoder_q.", "encoder_k.")
    states = [
        {s + name: torch.randn(shape) for s in start for name, shape in shapes.items()} for _ in range(2)
    ]
    torch.save({"epoch": 3, "ema": {"teacher": states[0], "student": states[1]}}, path)


def stored(study, network, layer):
    """Gram matrices (n, N, N) of a layer, and the file of each."""
    with store.open_h5(study / f"results/tiny/gram/linear/{network}.h5") as file:
        packed = torch.from_numpy(file[f"{layer}/gram"][:])
        return gram.unpack(packed).double().numpy(), store.read_keys(file)[0]


def assert_grams_of(maps, study, network, layer):
    """Against (H, W, N) maps of each image, made by hand."""
    ours, files = stored(study, network, layer)
    for found, file in zip(ours, files, strict=True):
        image = np.asarray(Image.open(study / "photographs" / file), np.float32) / 255
        with torch.no_grad():
            flat = maps(torch.from_numpy(image).permute(2, 0, 1)[None])[0].flatten(0, 1).double().numpy()
        expected = flat.T @ flat
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_maps_that_end_in_their_channels_give_gram_matrices_of_channels(own):
    """Against the modules called by hand, of a network that was built with the table's seed."""
    space = {}
    exec(NETS, space)
    torch.manual_seed(0)
    net = space["Last"]().eval()
    by_hand = {
        "L1": lambda x: net.embed(x).permute(0, 2, 3, 1),
        "L2": lambda x: net.norm(net.embed(x).permute(0, 2, 3, 1)),
        "L3": lambda x: net.mlp(net.norm(net.embed(x).permute(0, 2, 3, 1))),
    }
    for layer, maps in by_hand.items():
        assert_grams_of(maps, own.study, "last", layer)


def test_the_list_of_layers_says_the_axis(own):
    table = pd.read_csv(own.study / "results/layers/last.tsv", sep="\t").set_index("module")
    assert table["axis"].to_dict() == {"embed": "first", "norm": "last", "mlp": "last"}
    assert table["channels"].to_dict() == {"embed": 12, "norm": 12, "mlp": 24}
    assert (table[["height", "width"]] == 8).all(axis=None)


@pytest.mark.parametrize("network", REFUSED)
def test_a_network_that_is_no_function_of_an_image_is_one_line_said_once(own, network):
    start = f"texalign: compute_gram linear {network}: "
    assert_one_line(own.output, start, *REFUSED[network])
    # Nothing is told of the table's preprocessing: there is no other that it would go against.
    assert own.output.count(start) == 1
    assert not (own.study / f"results/tiny/gram/linear/{network}.h5").exists()


def test_a_gram_matrix_of_zeros_stops_what_needs_an_angle_and_nothing_else(own):
    ours, files = stored(own.study, "dark", "L1")
    assert [file for file, row in zip(files, ours, strict=True) if not row.any()] == ["grain2/1.png"]
    assert (own.study / TREES.format("gram")).exists()
    assert not (own.study / TREES.format("cosine")).exists()
    words = ["grain2/1.png: layer L1 (0): the Gram matrix is all zeros"]
    assert_one_line(own.output, "texalign: grow_trees linear gram cosine dark: ", *words)


def test_weights_beside_others_are_those_that_the_table_names(own):
    state = torch.load(own.study / "taught.pth")["ema"]["teacher"]
    weight, bias = (state[f"encoder_q.0.{name}"] for name in ("weight", "bias"))

    def maps(x):
        return torch.conv2d(x, weight, bias).permute(0, 2, 3, 1)

    assert_grams_of(maps, own.study, "taught", "L1")


# ---------------------------------------------------------------- what the plan makes of the table


@pytest.mark.parametrize(
    "change",
    [
        {"channels": "last"},
        {"state_key": "ema.state_dict"},
        {"strip_prefix": "encoder_q."},
        {"preprocess": {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_key_of_an_entry_reruns_that_network_alone(finished, change):
    finished.change_model("lite", **change)
    assert finished.plan() == whole("lite") | JOINTLY


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": "middle"}, ["channels: 'middle' is not one of ['first', 'last']"]),
        ({"state_key": ["ema"]}, ["state_key: ['ema'] is not of type 'string'"]),
        ({"strip_prefix": 1}, ["strip_prefix: 1 is not of type 'string'", 'write it in quotes, "1"']),
        ({"preprocess": {"mean": [0, 0, 0]}}, ["preprocess: 'std' is a required property"]),
        ({"preprocess": {"mean": [0, 0], "std": [1, 1, 1]}}, ["preprocess: mean: [0, 0] is too short"]),
        ({"preprocess": {"mean": 3 * [0], "std": [1, 0, 1]}}, ["preprocess: std: 1: 0 is less than or"]),
        (
            {"preprocess": {"mean": 3 * [float("nan")], "std": 3 * [1]}},
            [": nan is not of type", "write a finite number"],
        ),
    ],
)
def test_a_bad_value_of_an_entry_is_the_only_line(fresh, change, words):
    fresh.change_model("alexnet", **change)
    assert_only_line(refusal(fresh, "--dry-run"), "models.yaml: alexnet: ", *words)
