"""Hashes that are recorded when a file is first fetched, and checked ever after; what such files are."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from architectures import refusal, small
from torch import nn

from texalign import builders, download, locks, networks, sources, weights

A, B = 64 * "a", 64 * "b"


def test_what_is_recorded_is_known(tmp_path):
    path = tmp_path / "config/models.lock"
    assert locks.read(path) == {}
    locks.record(path, "hub:o/r@main", B)
    locks.record(path, "https://host/x.pth", A)
    locks.record(path, "hub:o/r@main", B)
    assert locks.read(path) == {"hub:o/r@main": B, "https://host/x.pth": A}
    assert locks.known(path, "hub:o/r@main") == B
    sources_listed = [line[64:] for line in path.read_text().splitlines()[1:]]
    assert sources_listed == ["  https://host/x.pth", "  hub:o/r@main"]
    assert [file.name for file in path.parent.iterdir()] == ["models.lock"]


def test_another_hash_is_never_recorded(tmp_path):
    path = tmp_path / "x.lock"
    locks.record(path, "s", A)
    before = path.read_bytes()
    assert f"s has the hash {A}, not {B}" in refusal(locks.record, path, "s", B)
    assert path.read_bytes() == before


def test_jobs_that_record_at_once_lose_nothing(tmp_path):
    path = tmp_path / "x.lock"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: locks.record(path, f"s{i}", f"{i:064x}"), range(40)))
    assert locks.read(path) == {f"s{i}": f"{i:064x}" for i in range(40)}


@pytest.mark.parametrize("line", ["abc  s", A, f"{A}  s s", f"{A}  s\n{B}  s"])
def test_a_damaged_lock_file_is_refused(tmp_path, line):
    (tmp_path / "x.lock").write_text(f"# head\n\n{line}\n")
    assert "x.lock: line " in refusal(locks.read, tmp_path / "x.lock")


def test_a_hash_that_is_missing_is_refused(tmp_path):
    message = refusal(locks.known, tmp_path / "x.lock", "hub:o/r@main")
    assert all(part in message for part in ["x.lock", "hub:o/r@main", "resources/weights"])


@pytest.mark.parametrize(
    ("source", "rest"),
    [
        ("hub:timm/vit.a_b@main", "timm/vit.a_b/resolve/main/model.safetensors"),
        ("hub:o/r@0123abc/a/b.ckpt", "o/r/resolve/0123abc/a/b.ckpt"),
    ],
)
def test_places_on_the_hub(source, rest, monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    url = f"https://huggingface.co/{rest}"
    assert weights.hub_url(source) == sources.weights_url({"weights": source}) == url
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror/")
    assert weights.hub_url(source) == f"http://mirror/{rest}"
    assert weights.is_published(source)
    assert weights.own_file(source) is None


@pytest.mark.parametrize(
    "source", ["hub:r@main", "hub:o/r", "hub:o/r@", "hub:o/r@a/../b c", "hub:/r@m", "hub:o/r@m/"]
)
def test_what_is_no_place_on_the_hub(source):
    assert f"{source} is no place on the hub" in refusal(weights.hub_url, source)


def test_what_nothing_but_a_lock_file_knows():
    assert weights.is_locked({"weights": "hub:o/r@main"})
    assert weights.is_locked({"weights": "https://host/x.pth"})
    assert not weights.is_locked({"weights": "hub:o/r@main", "sha256": A})
    for source in ("IMAGENET1K_V1", "untrained", "x.pth", "package:p/x"):
        assert not weights.is_locked({"weights": source})


def test_the_lock_file_lies_beside_the_table_that_says_where_weights_are():
    first = {"x": {"weights": "w"}, "y": {"weights": "w"}}
    tables = {"a/one.yaml": first, "two.yaml": {"x": {"weights": "v"}, "y": None}}
    assert [weights.lock_file(tables, key) for key in "xy"] == ["two.lock", "a/one.lock"]


def test_loading_checks_the_recorded_hash(tmp_path):
    path, lock = tmp_path / "mine.locked", str(tmp_path / "x.lock")
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), path)
    entry = small("hub:o/r@main", lock=lock)
    assert "no hash of hub:o/r@main" in refusal(networks.load, entry, path, device="cpu")
    locks.record(lock, "hub:o/r@main", download.sha256_of(path))
    assert networks.load(entry, path, device="cpu").weights_sha256 == download.sha256_of(path)
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), path)
    assert "expected sha256" in refusal(networks.load, entry, path, device="cpu")


# ---------------------------------------------------------------- safetensors


@pytest.fixture
def save():
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from safetensors.torch import save_file

    return save_file


def test_safetensors_are_known_by_their_content(save, tmp_path):
    state = nn.Conv2d(3, 4, 3).state_dict()
    for name in ("x.safetensors", "x.locked"):
        save(state, tmp_path / name)
        network = networks.load(small(name), tmp_path / name, device="cpu")
        assert torch.equal(network.module.weight, state["weight"])
    save(nn.Conv2d(3, 5, 3).state_dict(), tmp_path / "x.locked")
    assert "do not fit" in refusal(networks.load, small(), tmp_path / "x.locked", device="cpu")


def test_half_a_file_of_safetensors_is_refused(save, tmp_path):
    path = tmp_path / "x.safetensors"
    save(nn.Conv2d(3, 4, 3).state_dict(), path)
    whole = path.read_bytes()
    for end in (8, 12, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert str(path) in refusal(networks.load, small(), path, device="cpu")


def test_safetensors_are_asked_for_only_where_they_are(monkeypatch, tmp_path):
    """By a file that begins as they do."""
    (tmp_path / "x.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    message = refusal(networks.load, small(), tmp_path / "x.safetensors", device="cpu")
    assert "pip install safetensors" in message


# ---------------------------------------------------------------- timm's own files


def test_timms_weights_for_images_of_another_size_are_converted(tmp_path):
    """As timm does: its position embeddings are interpolated; all else stays."""
    builders.provide_torchvision()
    pytest.importorskip("timm", reason="timm is not installed")
    name, options = "timm/vit_tiny_patch16_224", {"depth": 1, "img_size": 64}
    theirs = builders.build(name, options).state_dict()
    torch.save(theirs, tmp_path / "vit.pth")
    entry = {"architecture": name, "options": options | {"img_size": 96}, "weights": "vit.pth", "layers": []}
    ours = networks.load(entry, tmp_path / "vit.pth", device="cpu").module.state_dict()
    assert ours["pos_embed"].shape == (1, 37, 192)
    assert torch.equal(ours["pos_embed"][:, 0], theirs["pos_embed"][:, 0])
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs if key != "pos_embed")
    del theirs["norm.weight"]
    torch.save(theirs, tmp_path / "vit.pth")
    assert "missing: norm.weight" in refusal(networks.load, entry, tmp_path / "vit.pth", device="cpu")
