"""HDF5 files: whole or not at all, the same however they are written, never without their keys."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from architectures import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from texalign import InputError, networks, store


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def in_memory():
    return h5py.File("in memory", "w", driver="core", backing_store=False)


def python(code, *arguments):
    """Run a program beside this one: it may be killed, or crash."""
    head = "import sys\nfrom texalign import InputError, store\n"
    return subprocess.run(
        [sys.executable, "-c", head + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


# ---------------------------------------------------------------- rows


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 200),
    length=st.integers(1, 40),
    chunk=st.tuples(st.integers(1, 80), st.integers(1, 16)),
    seed=st.integers(0, 100),
)
def test_any_split_into_batches_writes_the_same(n, length, chunk, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, length)).astype(np.float32)
    cuts = np.sort(rng.integers(0, n + 1, rng.integers(0, 8)))  # empty batches too
    with pytest.MonkeyPatch.context() as patch, in_memory() as file:
        patch.setattr(store, "CHUNK", chunk)
        writer = store.RowWriter(file, "gram", n, length)
        for batch in np.split(rows, cuts):
            writer.append(batch)
            if rng.random() < 0.2:
                writer.flush()  # early
        writer.flush()
        assert file["gram"].dtype == np.float32
        assert file["gram"].chunks == (min(chunk[0], n), min(chunk[1], length))
        np.testing.assert_array_equal(file["gram"][:], rows)


def test_rows_are_written_by_whole_chunks(monkeypatch):
    """Guard: each chunk is written once, however small the batches."""
    spans = []

    class Watched:
        def __setitem__(self, key, values):
            spans.append((key.start, key.stop))

    with in_memory() as file:
        writer = store.RowWriter(file, "gram", 150, 3)
        monkeypatch.setattr(writer, "_dataset", Watched())
        for _ in range(50):
            writer.append(np.zeros((3, 3), np.float32))
        writer.flush()
    assert spans == [(0, 64), (64, 128), (128, 150)]


def test_batches_may_be_reused_by_their_owner():
    with in_memory() as file:
        writer = store.RowWriter(file, "gram", 4, 2)
        batch = np.empty((1, 2), np.float32)
        for i in range(4):
            batch[:] = i
            writer.append(batch)
        writer.flush()
        assert file["gram"][:, 0].tolist() == [0, 1, 2, 3]


def test_too_many_rows_are_an_error():
    with in_memory() as file:
        writer = store.RowWriter(file, "gram", 3, 2)
        with pytest.raises((TypeError, ValueError)):
            writer.append(np.zeros((7, 2), np.float32))


def test_chunks_of_a_large_dataset_are_a_mebibyte():
    assert np.prod(store.CHUNK) * 4 == 2**20


# ---------------------------------------------------------------- whole or not at all


def test_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "folder" / "a.h5"
    with store.create_h5(path) as file:
        file["x"] = np.arange(5)
        assert not path.exists()
        assert len(listing(path.parent)) == 1  # the temporary file, beside it
    assert listing(path.parent) == ["a.h5"]
    with store.open_h5(path) as file:
        assert file["x"][:].tolist() == [0, 1, 2, 3, 4]


def begin_and_fail(path, error):
    with store.create_h5(path) as file:
        file["x"] = np.arange(100_000)
        store.RowWriter(file, "gram", 100, 100).append(np.zeros((80, 100), np.float32))
        raise error


@pytest.mark.parametrize("kind", [ValueError, InputError, KeyboardInterrupt, SystemExit])
def test_error_leaves_nothing_and_the_old_file_as_it_was(tmp_path, kind):
    path = tmp_path / "a.h5"
    for old in (None, b"the old file"):
        if old:
            path.write_bytes(old)
        with pytest.raises(kind, match="the reason"):
            begin_and_fail(path, kind("the reason"))
        assert listing(tmp_path) == (["a.h5"] if old else [])
        assert not old or path.read_bytes() == old


def test_new_file_replaces_the_old_at_once(tmp_path):
    path = tmp_path / "a.h5"
    for value in (1, 2):
        with store.create_h5(path) as file:
            file["x"] = value
            if value == 2:
                with store.open_h5(path) as old:
                    assert old["x"][()] == 1
    with store.open_h5(path) as file:
        assert file["x"][()] == 2


KILLED = """
import os, signal
import numpy as np
with store.create_h5(sys.argv[1]) as file:
    file["x"] = np.arange(1000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_job_leaves_no_result_and_the_next_clears_up(tmp_path):
    path = tmp_path / "a.h5"
    assert python(KILLED, path).returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(listing(tmp_path)) == 1
    with store.create_h5(path) as file:
        file["x"] = 1
    assert listing(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("other", ["my-a.h5", "5-a.h5", "a.h5.h5", "b.h5", "xa.h5"])
def test_job_beside_keeps_its_temporary_file(tmp_path, other):
    with store.create_h5(tmp_path / other) as file:
        file["x"] = 1
        with store.create_h5(tmp_path / "a.h5") as beside:
            beside["x"] = 2
        file["y"] = 3
    assert listing(tmp_path) == sorted(["a.h5", other])


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
    ids=["disk", "quota"],
)
def test_full_disk_is_told_in_one_line(tmp_path, error):
    path = tmp_path / "a.h5"
    with pytest.raises(InputError, match="no space left") as told:
        begin_and_fail(path, error)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    assert listing(tmp_path) == []


def test_full_disk_when_the_file_is_synchronised(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="no space left"), store.create_h5(tmp_path / "a.h5") as file:
        file["x"] = 1
    assert listing(tmp_path) == []


FULL = """
import os
import numpy as np
path, how = sys.argv[1], sys.argv[2]
for n in map(int, sys.argv[3].split(",")):
    try:
        with store.create_h5(path) as file:
            if how == "rows":
                writer = store.RowWriter(file, "gram", n, 256)
                for _ in range(n):
                    writer.append(np.ones((1, 256), np.float32))
                writer.flush()
            elif how == "at once":
                file["x"] = np.ones((n, 256), np.float32)
            else:
                for i in range(n):
                    group = file.create_group(str(i))
                    group["x"] = np.ones(n, np.float32)
                    group.attrs["about"] = "x" * n
            store.write_keys(file, [f"{i}.jpg" for i in range(n)], ["c"] * n)
        with store.open_h5(path) as file:
            assert file["class"][n - 1] == b"c"
        print("written")
        os.unlink(path)
    except InputError as error:
        print(error)
    assert not os.listdir(os.path.dirname(path))
"""


@pytest.mark.parametrize(
    ("how", "sizes"),
    [
        ("rows", [20, *range(160, 300, 2), 3000]),
        ("at once", [20, *range(200, 270), 3000]),
        ("many tables", range(150, 220, 3)),
    ],
)
def test_a_disk_that_is_full(small_disk, how, sizes):
    """Each file is there or told to be missing, whether values or HDF5's own tables do not fit."""
    path = small_disk / "a.h5"
    done = python(FULL, path, how, ",".join(map(str, sizes)))
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.splitlines()
    fit = told.count("written")
    assert 1 < fit < len(sizes) - 1
    full = f"{path}: no space left on the disk; free some, or use another disk, and run again"
    assert told == ["written"] * fit + [full] * (len(sizes) - fit)


def test_a_disk_with_too_little_room_is_told_before_any_work(tmp_path):
    size = shutil.disk_usage(tmp_path).total
    with (
        pytest.raises(InputError, match=rf"a.h5: no space left.*, {size / 1e9:.3g} GB are needed; free some"),
        store.create_h5(tmp_path / "a.h5", size=size),
    ):
        pytest.fail("the block was entered")
    assert listing(tmp_path) == []


def test_bytes_of_gram_matrices(tmp_path):
    layers, shapes = {"L1": "bn1", "L2": "conv"}, {"L1": (64, 5, 4), "L2": (2, 1, 1)}
    with store.create_h5(tmp_path / "gram.h5") as file:
        writers = store.gram_writers(file, layers, shapes, 64)
        for layer, (channels, _, _) in shapes.items():
            length = channels * (channels + 1) // 2
            writers[layer].append(np.ones((64, length), np.float32), np.ones((64, channels), np.float32))
    size = store.gram_bytes(shapes, 64)
    assert size < (tmp_path / "gram.h5").stat().st_size < 1.02 * size


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("content", [None, b"", b"not HDF5", b"\x89HDF\r\n\x1a\n"])
def test_file_that_is_no_whole_hdf5_file(tmp_path, content):
    path = tmp_path / "a.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"does not end with its checksums|No such file") as error:
        store.open_h5(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_half_a_file_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with store.create_h5(path) as file:
        file["x"] = np.arange(10_000)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(InputError, match="delete it and run again"):
        store.open_h5(path)


def test_readers_share_a_file_and_change_nothing(tmp_path):
    path = tmp_path / "a.h5"
    with store.create_h5(path) as file:
        file["x"] = np.arange(5)
    before = path.read_bytes()
    with store.open_h5(path) as one, store.open_h5(path) as two:
        assert one["x"][0] == two["x"][0] == 0
        read = python("print(store.open_h5(sys.argv[1])['x'][:].sum())", path)
        assert read.stdout == "10\n"
        with pytest.raises((OSError, ValueError, KeyError, RuntimeError)):
            one["y"] = 1
    assert path.read_bytes() == before


# ---------------------------------------------------------------- keys

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(st.tuples(NAMES, NAMES), max_size=20))
def test_keys_survive(keys):
    names, classes = [k[0] for k in keys], [k[1] for k in keys]
    with in_memory() as file:
        store.write_keys(file, names, classes)
        ours = store.read_keys(file)
    assert [array.tolist() for array in ours] == [names, classes]
    assert all(array.dtype.kind == "U" for array in ours)


def test_keys_from_arrays_and_as_compared_to_arrays(tmp_path):
    names = np.array(["a/ä.jpg", "b/日本.png", "c/e\u0301 \U0001f600.jpg"])
    with store.create_h5(tmp_path / "a.h5") as file:
        store.write_keys(file, names, np.array(["a", "b", "c"]))
    with store.open_h5(tmp_path / "a.h5") as file:
        ours, classes = store.read_keys(file)
    np.testing.assert_array_equal(ours, names)
    assert (classes == ["a", "b", "c"]).all()


@pytest.fixture
def keyed(tmp_path):
    """Write a file with keys."""

    def write(name, names, classes):
        with store.create_h5(tmp_path / name) as file:
            store.write_keys(file, names, classes)
        return tmp_path / name

    return write


def test_common_keys(keyed):
    paths = [keyed(f"{i}.h5", ["x", "y"], ["a", "b"]) for i in range(3)]
    names, classes = store.common_keys(paths)
    assert (names.tolist(), classes.tolist()) == (["x", "y"], ["a", "b"])
    assert store.common_keys(paths[:1])[0].tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["y", "x"], ["b", "a"]),  # the same in another order
        (["x", "z"], ["a", "b"]),
        (["x", "y"], ["a", "a"]),
        (["x"], ["a"]),
        (["x", "y", "z"], ["a", "b", "b"]),
        ([], []),
    ],
)
def test_other_textures_are_refused(keyed, names, classes):
    first, other = keyed("first.h5", ["x", "y"], ["a", "b"]), keyed("other.h5", names, classes)
    for paths in ([first, first, other], [other, first]):
        with pytest.raises(InputError, match="other textures") as error:
            store.common_keys(paths)
        assert all(str(path) in str(error.value) for path in (first, other))
        assert "\n" not in str(error.value)


# ---------------------------------------------------------------- layouts


def test_gram_file_carries_what_its_numbers_mean(tmp_path):
    entry = {"architecture": "torch.nn:Sequential", "weights": "untrained", "layers": []}
    network = networks.load(entry, seed=7, device="cpu")
    layers, shapes = {"L1": "bn1", "L2": "conv"}, {"L1": (3, 5, 4), "L2": (2, 1, 1)}
    with store.create_h5(tmp_path / "gram.h5") as file:
        store.write_keys(file, ["x", "y"], ["a", "b"])
        file.attrs.update(store.network_attributes(network, "relu"))
        writers = store.gram_writers(file, layers, shapes, 2)
        assert list(writers) == ["L1", "L2"]
        for layer, (channels, _, _) in shapes.items():
            length = channels * (channels + 1) // 2
            writers[layer].append(np.ones((2, length), np.float32), np.ones((2, channels), np.float32))
            writers[layer].flush()
    with store.open_h5(tmp_path / "gram.h5") as source, store.create_h5(tmp_path / "rdm.h5") as target:
        assert source["L1/gram"].shape == (2, 6)
        assert source["L2/gram"].shape == (2, 3)
        assert source["L1/mean"].shape == (2, 3)
        assert source["L2/mean"].shape == (2, 2)
        store.copy_labels(source, source["L1"], target)
        for name in ("torch", "torchvision", "numpy", "h5py"):
            assert name in source.attrs["versions"]
    with store.open_h5(tmp_path / "rdm.h5") as file:
        assert [keys.tolist() for keys in store.read_keys(file)] == [["x", "y"], ["a", "b"]]
        expected = {
            **{"module": "bn1", "channels": 3, "positions": 20, "readout": "relu", "precision": "float32"},
            **{"weights": "untrained", "weights_sha256": "untrained, seed 7", "device": "cpu"},
            "architecture": "torch.nn:Sequential",
        }
        assert {key: file.attrs[key] for key in expected} == expected
        assert "0.485" in file.attrs["preprocessing"]


SCRIPT = ROOT / "workflow/scripts/measure_information.py"


def test_an_rdm_of_people_is_read_as_a_layers_is(tmp_path, rng):
    """With all that `measure_information` and `grow_trees` ask of a layer of a network."""
    rdm, observers = rng.random(6).astype(np.float32), rng.random((2, 6))
    with store.create_h5(tmp_path / "L1.h5") as file:
        store.write_people(file, rdm, observers, "all words")
        store.write_keys(file, list("wxyz"), list("aabb"))
    with store.open_h5(tmp_path / "L1.h5") as source, store.create_h5(tmp_path / "trees.h5") as target:
        np.testing.assert_array_equal(source["euclidean"], rdm)
        np.testing.assert_allclose(source["observers"], observers, rtol=1e-6)
        np.testing.assert_allclose(source["cosine"], rdm**2 / 2)
        assert source["squared_norms"].shape == (4,)
        group = target.create_group("L1")
        store.copy_labels(source, source, group)
        asked = set(re.findall(r'group.attrs\["(\w+)"\]|"(module|channels|positions)"', SCRIPT.read_text()))
        assert {"".join(found) for found in asked} <= set(group.attrs)
        assert group.attrs["module"] == "all words"
