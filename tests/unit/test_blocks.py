"""Checksums of blocks: what is read is what was written, whatever happened to the disk in between."""

import random

import h5py
import numpy as np
import pytest

from texalign import InputError, blocks, store

SIZES = (0, 1, 8, blocks.BLOCK - 1, blocks.BLOCK, blocks.BLOCK + 1, 5 * blocks.BLOCK + 12345)


def written(path, content):
    with blocks.Writer(path) as file:
        file.write(content)
        file.finish()
    return path


def content_of(path):
    with blocks.Reader(path) as file:
        data = bytearray(file.size)
        assert file.readinto(data) == file.size
        return bytes(data)


def straight(data):
    """Sum one block in Python's own integers: a second implementation."""
    words = np.frombuffer(data + bytes(-len(data) % blocks.BLOCK), "<u8").reshape(4, 32, 64)
    total, weight = 0, 1
    for page in range(4):
        for column in range(64):
            weight = weight * 0x9E3779B97F4A7C15 % 2**64
            value = sum(int(word) for word in words[page, :, column]) % 2**64
            total += (value ^ value >> 32) * weight
    return total % 2**64


@pytest.mark.parametrize("size", SIZES)
def test_sums_are_those_of_plain_integers(rng, size):
    data = rng.bytes(size)
    pieces = [data[first : first + blocks.BLOCK] for first in range(0, size, blocks.BLOCK)]
    assert blocks.sums(data).tolist() == [straight(piece) for piece in pieces]
    # Memory that is not aligned has the same sums.
    assert blocks.sums(memoryview(b"x" + data)[1:]).tolist() == blocks.sums(data).tolist()


def test_the_sum_of_nothing_is_zero_and_that_of_anything_else_is_not():
    block = np.zeros(blocks.BLOCK, np.uint8)
    assert blocks.sums(block).tolist() == [0]
    for bit in range(8):
        block[12345] = 1 << bit
        assert blocks.sums(block)[0] != 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda words, i, j: words.__setitem__(i, words[i] ^ np.uint64(1 << 63)),
        lambda words, i, j: words.__setitem__([i, j], words[[j, i]]),
        # The signs of two floats: a weighted sum alone, modulo 2^64, would not see this.
        lambda words, i, j: words.__setitem__([i, j], words[[i, j]] ^ np.uint64(1 << 63)),
        lambda words, i, j: words.__setitem__(slice(i, i + 64), 0),
        lambda words, i, j: words.__setitem__(slice(i, i + 64), words[j : j + 64].copy()),
        lambda words, i, j: words.__setitem__(slice(i, i + 2), ~words[i : i + 2]),
    ],
    ids=["sign", "two words exchanged", "two signs", "a sector of zeros", "another sector", "complement"],
)
def test_what_disks_do_changes_the_sum(rng, damage):
    for _ in range(200):
        words = rng.integers(0, 2**63, blocks.BLOCK // 8).astype(np.uint64)
        before = blocks.sums(words.tobytes())[0]
        i, j = rng.choice(blocks.BLOCK // 8 - 64, 2, replace=False)
        if (i - j) % 64 == 0:
            continue  # one column: see `sums`
        damage(words, i, j)
        assert blocks.sums(words.tobytes())[0] != before


@pytest.mark.parametrize("size", SIZES)
def test_content_comes_back(rng, tmp_path, size):
    data = rng.bytes(size)
    assert content_of(written(tmp_path / "x", data)) == data


def test_any_order_of_writing_and_of_reading(tmp_path):
    """Pieces that overlap, leave holes, begin in the middle of a word, and come again."""
    generator, size = random.Random(0), 6 * blocks.BLOCK
    for trial in range(20):
        expected = bytearray()
        with blocks.Writer(tmp_path / "x") as file:
            for _ in range(generator.randrange(1, 60)):
                start = generator.randrange(size)
                piece = generator.randbytes(generator.choice([1, 7, 4096, blocks.BLOCK, 3 * blocks.BLOCK]))
                file.seek(start)
                file.write(piece)
                expected += bytes(max(start - len(expected), 0))
                expected[start : start + len(piece)] = piece
                if trial % 2:
                    file._read_back()  # at any time
            file.finish()
        assert content_of(tmp_path / "x") == expected
        with blocks.Reader(tmp_path / "x") as file:
            for _ in range(60):
                start = generator.randrange(len(expected) + 10)
                part = bytearray(generator.choice([0, 1, 9, 5000, 2 * blocks.BLOCK + 3]))
                file.seek(start)
                count = file.readinto(part)
                assert part[:count] == expected[start : start + len(part)]
                assert file.tell() == min(start, len(expected)) + count or start > len(expected)


def test_only_what_is_asked_for_is_checked(rng, tmp_path):
    path = written(tmp_path / "x", rng.bytes(5 * blocks.BLOCK))
    flip(path, 3 * blocks.BLOCK + 77)
    with blocks.Reader(path) as file:
        assert file.readinto(bytearray(3 * blocks.BLOCK)) == 3 * blocks.BLOCK
        with pytest.raises(
            InputError, match=f"{path}: damaged: what stands at byte {3 * blocks.BLOCK} is not"
        ):
            file.readinto(bytearray(1))


def flip(path, place, bit=0x40):
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(content)


@pytest.fixture
def sound(tmp_path, rng):
    """An HDF5 file with all that the study's files have."""
    path = tmp_path / "sound.h5"
    with store.create_h5(path, {"rule": "x"}) as file:
        store.write_keys(file, [f"c/{i}.png" for i in range(128)], ["ä"] * 128)
        file["euclidean"] = rng.normal(size=3000)
        file.attrs["module"] = "features.0"
        writer = store.RowWriter(file.create_group("L1"), "gram", 128, 600)
        writer.append(rng.normal(size=(128, 600)).astype(np.float32))
        writer.flush()
    return path


def everything(path):
    with store.open_h5(path) as file:
        found = {name: file[name][()].tolist() for name in ("file", "class", "euclidean", "L1/gram")}
        return found | {"attributes": sorted(map(str, file.attrs.items()))}


def test_any_program_reads_the_file(sound):
    with h5py.File(sound) as file:
        assert file["L1/gram"].shape == (128, 600)
        assert file.attrs["module"] == "features.0"


def test_every_flipped_bit_is_noticed(sound):
    """In values, names, attributes, HDF5's own tables, the sums and the footer."""
    content, generator = sound.read_bytes(), random.Random(0)
    places = [generator.randrange(len(content)) for _ in range(150)]
    for place in [*places, 0, 9, len(content) - 1, len(content) - 9, len(content) - 17, len(content) - 25]:
        flip(sound, place, 1 << generator.randrange(8))
        with pytest.raises(InputError, match=r"sound\.h5: .*; delete it and run again") as told:
            everything(sound)
        assert "\n" not in str(told.value)
        sound.write_bytes(content)


@pytest.mark.parametrize("first", [0.02, 0.3, 0.7])
@pytest.mark.parametrize("length", [512, 4096, 65536])
def test_lost_sectors_are_noticed(sound, first, length):
    """Zeros, for which HDF5's own fletcher32 is zero too."""
    content = bytearray(sound.read_bytes())
    place = int(first * len(content)) // 512 * 512
    content[place : place + length] = bytes(len(content[place : place + length]))
    sound.write_bytes(content)
    with pytest.raises(InputError, match="delete it and run again"):
        everything(sound)


@pytest.mark.parametrize("cut", [1, 8, 20, 28, 5000, 65536])
def test_a_file_cut_short_or_grown_is_noticed_when_it_is_opened(sound, cut):
    content = sound.read_bytes()
    for damaged in (content[:-cut], content + bytes(cut), content[:100] + content[100 + cut :]):
        sound.write_bytes(damaged)
        with pytest.raises(InputError, match="delete it and run again"):
            store.open_h5(sound)


def test_an_edit_by_another_program_is_noticed(sound):
    with h5py.File(sound, "r+") as file:
        file["euclidean"][7] = 1.0
    with pytest.raises(InputError, match="delete it and run again"):
        everything(sound)


# ---------------------------------------------------------------- what it costs


def test_the_cost_in_bytes(tmp_path, rng):
    """Guard: eight bytes for a block of 64 KiB and a footer; no more beside the chunks that are read."""
    path, n, length = tmp_path / "gram.h5", 128, 5 * 4096
    with store.create_h5(path) as file:
        writer = store.RowWriter(file, "gram", n, length)
        writer.append(rng.normal(size=(n, length)).astype(np.float32))
        writer.flush()
    assert path.stat().st_size < 4 * n * length * 1.02
    with store.open_h5(path) as file, pytest.MonkeyPatch.context() as patch:
        read = []
        patch.setattr(blocks.Reader, "_read", watched(blocks.Reader._read, read))
        assert file["gram"][:, 4096:8192].shape == (n, 4096)
    chunks = 4 * n * 4096
    assert chunks <= sum(read) <= chunks + 8 * blocks.BLOCK


def test_each_byte_is_summed_once_when_it_is_written(tmp_path, rng, monkeypatch):
    """Guard: but for the edges of what HDF5 writes."""
    summed, n, length = [], 256, 3 * 4096
    monkeypatch.setattr(blocks, "sums", watched(blocks.sums, summed, 0))
    with store.create_h5(tmp_path / "gram.h5") as file:
        writer = store.RowWriter(file, "gram", n, length)
        writer.append(rng.normal(size=(n, length)).astype(np.float32))
        writer.flush()
    assert 4 * n * length <= sum(summed) <= 4 * n * length + 8 * blocks.BLOCK


def watched(function, sizes, argument=1):
    def call(*args):
        sizes.append(len(args[argument]))
        return function(*args)

    return call
