"""Every kind of file that a run reads, damaged in many ways: noticed in one line, made anew, or the same.

Each damaged file is read as the rules' scripts read it, in a process of its own, so that a crash counts too.
Never a signal, never another number, never a traceback. `make test-fuzz` prints how many of how many.
"""

import collections
import functools
import hashlib
import io
import json
import logging
import os
import pickle
import random
import shutil
import signal
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from studies import REPOSITORY, assert_one_line, refusal

from texalign import (
    InputError,
    brainscore,
    checkpoint,
    decoding,
    download,
    formats,
    networks,
    pictures,
    store,
    tables,
)
from texalign.geometry import distances, ward
from texalign.gram import representations
from texalign.human import descriptions, exchange, similarities, triplets
from texalign.images import exemplars, textures
from texalign.plan import config as plan_config
from texalign.plan import content, reading
from texalign.synthesis import gatys_network

pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]

SEED = int(os.environ.get("TEXALIGN_FUZZ_SEED", "0"))
FLIPS = int(os.environ.get("TEXALIGN_FUZZ_FLIPS", "60"))

#: What a reader gives where the run does the work anew instead.
ANEW = "made anew"

KINDS = {}


def kind(function=None, **options):
    """Register a kind: a function from a folder to a file in it, sound, and a function that reads it.

    ``user``: it is the user's own file, which a plan knows by its content: with other content, all that
    hangs on it is made anew.
    """
    if function is None:
        return functools.partial(kind, **options)
    KINDS[function.__name__] = (function, options.get("user", False))
    return function


# ---------------------------------------------------------------- what a run reads


def blobs(size, seed=1):
    """Random blobs, smooth as a photograph. uint8 (size, size, 3)."""
    grid = np.random.default_rng(seed).integers(0, 256, (size // 4, size // 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(grid).resize((size, size)))


def random_rows(n, d):
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def photographs(folder, suffix, **options):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        path = folder / f"set/{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(blobs(24, seed=len(list(folder.rglob("*"))))).save(path, **options)
    return path


def image(suffix, **options):
    """Make a kind of an image format: an image set of it, as `decode_images` reads it."""

    def make(folder):
        path = photographs(folder, suffix, **options)
        planned = content.of_tree(folder / "set", content.Hashes(folder / "memory.json"))

        def read():
            images = textures.load("folder", folder / "set")
            pixels = np.stack([images.read(i, 16) for i in range(len(images))])
            content.check_tree(folder / "set", planned, folder / "memory.json")
            return pixels.tobytes()

        return path, read

    KINDS[f"image{suffix}{'-' + options['compression'] if 'compression' in options else ''}"] = (make, False)


Image.init()
for _format, _suffixes in formats.FORMATS.items():
    if _format in Image.SAVE:  # what Pillow can also write here
        image(_suffixes[-1])
image(".tif", compression="tiff_lzw")


@kind
def exemplar_of_the_user(folder):
    path = photographs(folder, ".bmp")
    planned = content.Hashes(folder / "memory.json").of(path)

    def read():
        content.check_any(path, planned)
        return exemplars.exemplar(path.name, 16, path).tobytes()

    return path, read


@kind
def synthetic_png(folder):
    path = folder / "seed0.png"
    pictures.save_png(path, blobs(32), {"method": "descent", "maker": "vgg19", "seed": 3, "loss": 0.25})
    return path, lambda: (pictures.read_metadata(path), pictures.decode(path, None).tobytes())


@kind
def dtd_archive(folder):
    path = folder / "dtd.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for i in range(4):
            data = random.Random(i).randbytes(3000)
            member = tarfile.TarInfo(f"dtd/images/a/{i}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    md5 = hashlib.md5(path.read_bytes()).hexdigest()

    def read():
        shutil.rmtree(folder / "out", ignore_errors=True)
        download.unpack(path, folder / "out", md5=md5)
        return sorted(file.read_bytes() for file in (folder / "out/a").iterdir())

    return path, read


def network_file(folder, name, **options):
    path = folder / name
    module = torch.nn.Conv2d(3, 4, 3)
    torch.save(module.state_dict(), path, **options)
    return path, {"in_channels": 3, "out_channels": 4, "kernel_size": 3}


@kind
def weights(folder, **options):
    path, arguments = network_file(folder, "w.pth", **options)
    entry = {"architecture": "torch.nn:Conv2d", "options": arguments, "weights": str(path), "layers": []}
    entry["sha256"] = download.sha256_of(path)

    def read():
        network = networks.load(entry, path, device="cpu")
        return [tensor.numpy().tobytes() for tensor in network.module.state_dict().values()]

    return path, read


@kind
def weights_of_old_torch(folder):
    return weights(folder, _use_new_zipfile_serialization=False)


@kind
def weights_without_a_hash(folder):
    """Those inside a Python package need none."""
    path, arguments = network_file(folder, "w.pth")

    def read():
        module = torch.nn.Conv2d(**arguments)
        networks.load_state(module, path)
        return [tensor.numpy().tobytes() for tensor in module.state_dict().values()]

    return path, read


def keys(file, n=12):
    store.write_keys(file, [f"{'ab'[i % 2]}/é{i}.png" for i in range(n)], ["ab"[i % 2] for i in range(n)])


@kind
def images_h5(folder):
    path = folder / "images.h5"
    with store.create_h5(path, {"rule": "decode_images"}) as file:
        keys(file)
        store.image_dataset(file, 12, 32)[:] = np.stack([blobs(32, seed=i) for i in range(12)])

    def read():
        with store.open_h5(path) as source:
            named = [names.tolist() for names in store.read_keys(source)]
            return named, [source["image"][first : first + 5].tobytes() for first in range(0, 12, 5)]

    return path, read


@kind
def gram_h5(folder):
    path = folder / "gram.h5"
    with store.create_h5(path) as file:
        keys(file)
        file.attrs.update(weights="w.pth", readout="linear")
        for writer in store.gram_writers(file, {"L1": "bn1"}, {"L1": (100, 5, 4)}, 12).values():
            writer.append(random_rows(12, 5050), random_rows(12, 100))
            writer.flush()

    def read():
        """As `compute_rdm`."""
        with store.open_h5(path, strided=True) as source, store.create_h5(folder / "rdm.h5") as file:
            with representations.rows(source["L1"], "gram") as rows:
                store.write_rdm(file, 12, distances.rdm_blocks(rows))
            store.copy_labels(source, source["L1"], file)
            return {name: file[name][:].tolist() for name in file} | {
                "about": sorted(map(str, file.attrs.items()))
            }

    return path, read


@kind
def rdm_h5(folder):
    path = folder / "rdm.h5"
    with store.create_h5(path) as file:
        keys(file)
        store.write_rdm(file, 12, distances.rdm_blocks(random_rows(12, 60)))
        file.attrs.update(module="bn1", channels=10, positions=9)

    def read():
        """As `grow_trees`."""
        with store.open_h5(path) as source, store.create_h5(folder / "clusters.h5") as file:
            store.copy_labels(source, source, file)
            return ward.ward_tree(ward.clustering_distances("gram", source)).tolist(), str(dict(file.attrs))

    return path, read


@kind
def clusters_h5(folder):
    path = folder / "clusters.h5"
    tree = ward.ward_tree(distances.rdm(random_rows(12, 60)))
    with store.create_h5(path) as file:
        group = file.create_group("L1")
        keys(group)
        group.attrs.update(module="bn1", channels=10, positions=9)
        group["tree"] = tree
        for k in (2, 5):
            store.write_labels(group, k, ward.cut(tree, k))

    def read():
        with store.open_h5(path) as source:
            group = source["L1"]
            labels = {k: values.tolist() for k, values in store.read_labels(group).items()}
            return (
                labels,
                store.read_keys(group)[1].tolist(),
                str(dict(group.attrs)),
                group["tree"][:].tolist(),
            )

    return path, read


@kind
def second_order_h5(folder):
    path = folder / "rdms.h5"
    names, matrix = ("a", "b", "c"), np.corrcoef(random_rows(3, 9))
    with store.create_h5(path) as file:
        compared = store.SecondOrder(names, ("L1",) * 3, ("p", "q", "r"), matrix, matrix[0])
        store.write_second_order(file, compared)
        store.write_with_controls(file, compared, [0.1, 0.2, 0.3])
        keys(file)
        file.attrs.update(metric="euclidean")

    def read():
        """As `aggregate` and `plot_study`."""
        with store.open_h5(path) as source:
            drawn, chance = store.read_with_controls(source)
            numbers = [
                (*both[:3], both[3].tolist(), both[4].tolist())
                for both in (store.read_second_order(source), drawn)
            ]
            return numbers, chance.tolist(), source.attrs["metric"]

    return path, read


@kind
def activations_h5(folder):
    path = folder / "activations.h5"
    with store.create_h5(path) as file:
        file["0"] = random_rows(1, 64)[0]
    return path, lambda: [values.tolist() for values in gatys_network.read_activations(path).values()]


def table(folder):
    path = folder / "mutual_information.csv"
    rows = [{"network": name, "k": 47, "mi_bits": bits} for name, bits in (("001", 0.5), ("NA", 1.25))]
    tables.write(path, rows * 4, {"rule": "x"})
    return path, lambda: tables.read(path).to_dict("list")


@kind
def table_csv(folder):
    return table(folder)


@kind
def table_csv_json(folder):
    """What stands beside a table: what made it may change unseen, its hash may not."""
    path, read = table(folder)
    return Path(f"{path}.json"), read


@kind
def checkpoint_of_a_synthesis(folder):
    path, identity = folder / "seed0.checkpoint", {"seed": 0, "architecture": "vgg19"}
    state = {"point": torch.arange(300.0), "optimizer": {"state": {0: {"t": 3}}}, "done": False}
    checkpoint.save(path, identity, state)

    def read():
        found = checkpoint.load(path, identity)
        return ANEW if found is None else (found["point"].tolist(), str(found["optimizer"]), found["done"])

    return path, read


@kind(user=True)
def scores_csv(folder):
    path = folder / "scores.csv"
    path.write_bytes((REPOSITORY / "resources/brainscore.csv").read_bytes())
    return path, lambda: str(brainscore.read(path))


def checked(given, schema, where):
    return str(reading.checked(given, REPOSITORY / f"workflow/schemas/{schema}.schema.yaml", str(where)))


@kind(user=True)
def config_yaml(folder):
    path = folder / "config.yaml"
    path.write_bytes((REPOSITORY / "config/config.yaml").read_bytes())

    def read():
        reading.check_yaml(path)
        given = yaml.safe_load(path.read_text())  # as snakemake, which wants a mapping
        return checked(plan_config.quoted_on(given), "config", path) if isinstance(given, dict) else ANEW

    return path, read


@kind(user=True)
def model_table_yaml(folder):
    path = folder / "models.yaml"
    path.write_bytes((REPOSITORY / "config/models.yaml").read_bytes())

    def read():
        models = plan_config.merge_tables({str(path): reading.read_yaml(path)})
        return checked(models, "models", path)

    return path, read


@kind(user=True)
def hashes_json(folder):
    """The plan's memory: with another hash in it, the run takes the image for a new one."""
    photographs(folder, ".png")
    path = folder / "memory.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "YOUNG", 0)
        content.of_tree(folder / "set", content.Hashes(path))
    return path, lambda: content.of_tree(folder / "set", content.Hashes(path))


@kind(user=True)
def hash_of_unpacked_images(folder):
    photographs(folder, ".png")
    content.record(folder / "set")
    return folder / "set.hash", lambda: content.recorded(folder / "set")


@kind
def sliced_h5(folder):
    """Quantiles along directions, as `compute_rdm` reads them."""
    path, how = folder / "sliced.h5", {"directions": 8, "quantiles": 64, "seed": 0}
    with store.create_h5(path) as file:
        keys(file)
        writers = store.quantile_writers(file, {"L1": "bn1"}, {"L1": (100, 16, 16)}, 12, how)
        writers["L1"].append(random_rows(12, 512))
        writers["L1"].flush()

    def read():
        with store.open_h5(path) as source, representations.rows(source["L1"], "sliced_wasserstein") as rows:
            return rows[:, :].tolist(), *(part.tolist() for part in store.read_keys(source))

    return path, read


@kind
def people_h5(folder):
    """People's RDM with its observers', as `compare_people` reads it."""
    path, rng = folder / "L1.h5", np.random.default_rng(0)
    with store.create_h5(path) as file:
        keys(file)
        store.write_people(file, rng.random(66), rng.random((2, 66)), "all words")

    def read():
        with store.open_h5(path) as source:
            found = [source[name][:].tolist() for name in ("euclidean", "observers")]
            return found, source.attrs["module"], *(part.tolist() for part in store.read_keys(source))

    return path, read


@kind(user=True)
def descriptions_json(folder):
    path = folder / "descriptions.json"
    entries = [{"image_name": f"a/{i}.jpg", "descriptions": ["red dots", "dots"]} for i in range(9)]
    path.write_text(json.dumps(entries))
    return path, lambda: descriptions.read_descriptions(path)


@kind(user=True)
def similarities_csv(folder):
    path, names = folder / "similar.csv", [f"a/{i}.jpg" for i in range(5)]
    values = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    rows = [",".join([name, *map(str, row)]) for name, row in zip(names, values, strict=True)]
    path.write_text("\n".join([",".join(["", *names]), *rows]))

    def read():
        found = similarities.read_similarities(path)
        return found.names, found.matrices.tolist()

    return path, read


@kind
def similarities_of_rsatoolbox(folder):
    """HDF5 without sums: held against what the plan knew before it is opened."""
    pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")
    path, names = folder / "similar.h5", [f"a/{i}.jpg" for i in range(5)]
    exchange.save_rdms(path, np.ones((1, 10)), {"network": ["people"]}, names, list("aabbb"))
    planned = content.sha256(path)

    def read():
        content.check_any(path, planned)
        return similarities.read_similarities(path).matrices.tolist()

    return path, read


@kind(user=True)
def choices_csv(folder):
    path, files = folder / "odd.csv", [f"a/{i}.jpg" for i in range(4)]
    rows = [",".join([*files[:3], files[i % 3]]) for i in range(6)]
    path.write_text("\n".join(["first,second,third,odd", *rows]))
    return path, lambda: triplets.read_triplets(path, files, "odd")[0].textures.tolist()


@kind(user=True)
def labels_csv(folder):
    path, files = folder / "labels.csv", [f"a/{i}.jpg" for i in range(9)]
    path.write_text("\n".join(["file,label", *(f"{file},{i % 2}" for i, file in enumerate(files))]))
    return path, lambda: [part.tolist() for part in decoding.read_labels(path, files)]


@kind
def split_of_dtd(folder):
    """One of DTD's lists: held against what was unpacked."""
    files = [f"a/{i}.jpg" for i in range(6)]
    for number in range(1, 11):
        for i, name in enumerate(("train", "val", "test")):
            (folder / "labels").mkdir(exist_ok=True)
            (folder / f"labels/{name}{number}.txt").write_text("\n".join(files[2 * i : 2 * i + 2]))
    content.record(folder / "labels")

    def read():
        content.check_any(folder / "labels", None)
        return [[part.tolist() for part in split] for split in decoding.official(folder / "labels", files)]

    return folder / "labels/val3.txt", read


# ---------------------------------------------------------------- what happens to files


def damages(sound, seed):
    """Give damaged contents, the same for the same seed, each with its name."""
    rng, size = random.Random(seed), len(sound)
    yield "empty", b""
    yield "zeros", bytes(size)
    yield "grown", sound + b"\0"
    for cut in (1, size // 2, *(rng.randrange(1, size) for _ in range(8))):
        yield f"cut by {cut}", sound[: size - cut]
    for _ in range(FLIPS):
        place, bit = rng.randrange(size), rng.randrange(8)
        yield f"bit {bit} of byte {place}", flipped(sound, place, bytes([1 << bit]))
    for _ in range(FLIPS // 6):
        place, length = rng.randrange(size), rng.choice([2, 16, 512])
        part = rng.randbytes(min(length, size - place))
        yield f"noise at {place}", flipped(sound, place, part)
        yield f"zeros at {place}", sound[:place] + bytes(len(part)) + sound[place + len(part) :]
        yield f"lost {length} bytes at {place}", sound[:place] + sound[place + length :]


def flipped(sound, place, mask):
    part = bytes(a ^ b for a, b in zip(sound[place : place + len(mask)], mask, strict=True))
    return sound[:place] + part + sound[place + len(mask) :]


def put(path, data):
    """Replace a file's content, with its old dates, as far as dates can be set."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def outcomes(steps):
    """Take each step in a process beside this one, and in a new one after a step that has killed it.

    Yields
    ------
    (str, object)
        ("value", what), ("refused", line), ("traceback", what) or ("signal", status).
    """
    steps, done = list(steps), 0
    while done < len(steps):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _work(steps[done:], writer)
        os.close(writer)
        with open(reader, "rb") as pipe:
            while done < len(steps):
                try:
                    answer = pickle.load(pipe)
                except EOFError:
                    break
                done += 1
                yield answer
        _, status = os.waitpid(child, 0)
        if done < len(steps):
            done += 1
            yield "signal", f"status {status}"


def _work(steps, writer):
    """Answer each step into a pipe, and end this process."""
    try:
        logging.disable(logging.CRITICAL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff tells all that it finds
        with open(writer, "wb") as pipe:
            for step in steps:
                signal.alarm(30)
                try:
                    answer = ("value", step())
                except InputError as error:
                    answer = ("refused", str(error))
                except BaseException as error:
                    answer = ("traceback", f"{type(error).__name__}: {error}")
                pickle.dump(answer, pipe)
                pipe.flush()
    finally:
        os._exit(0)


def judge(answer, expected, user):
    """Name what came of a damaged file; None where it must not come."""
    what, value = answer
    if what == "refused":
        return "noticed in one line" if "\n" not in value else None
    if what != "value":
        return None
    if value == expected:
        return "the same"
    return ANEW if user or value == ANEW else None


@pytest.mark.parametrize("name", KINDS)
def test_damage_never_passes_silently(name, tmp_path, capsys):
    make, user = KINDS[name]
    path, read = make(tmp_path)
    sound, (expected,) = path.read_bytes(), outcomes([read])
    assert expected[0] == "value", expected
    counts, wrong = collections.Counter(), []

    def damaged(data):
        put(path, data)
        return read()

    cases = [(what, data) for what, data in damages(sound, f"{SEED} {name}") if data != sound]
    answers = outcomes(functools.partial(damaged, data) for _, data in cases)
    for (damage, _), answer in zip(cases, answers, strict=True):
        found = judge(answer, expected[1], user)
        counts[found] += 1
        if found is None:
            wrong.append(f"{damage}: {answer[0]} {str(answer[1])[:300]}")
    told = ", ".join(f"{count} {what or 'NOT'}" for what, count in sorted(counts.items(), key=str))
    with capsys.disabled():
        print(f"\n{name}: {counts.total() - len(wrong)} of {counts.total()}: {told}", end="")
    assert not wrong, "\n".join(wrong)
    assert counts.total() > FLIPS


def test_the_fuzz_would_notice():
    """Each way in which a reader can fail is told from the others."""
    steps = [lambda: 1, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: 1 / 0, lambda: os._exit(0), int]
    found = [what for what, _ in outcomes(steps)]
    assert found == ["value", "signal", "traceback", "signal", "value"]
    for answer, expected in [
        (("value", 1), "the same"),
        (("value", 2), None),
        (("value", ANEW), ANEW),
        (("refused", "x: damaged"), "noticed in one line"),
        (("refused", "x:\ndamaged"), None),
        (("traceback", "KeyError"), None),
        (("signal", "status 11"), None),
    ]:
        assert judge(answer, 1, user=False) == expected
    assert judge(("value", 2), 1, user=True) == ANEW


def test_a_run_over_damaged_results_tells_each(finished):
    """Through the rules themselves: dates as before, so that snakemake sees no reason to make them anew."""
    results = finished / "results/tiny"
    for source, missing, words in (
        (
            "information/**/nsb/lite.csv",
            "mutual_information.csv",
            ("join_information", "not as it was written"),
        ),
        ("rdm/**/alexnet/L1.h5", "clusters/**/alexnet.h5", ("grow_trees", "damaged")),
    ):
        (path,), (wanted,) = results.glob(source), results.glob(missing)
        data = path.read_bytes()
        put(path, flipped(data, len(data) // 2, b"\x40"))
        wanted.unlink()
        output = refusal(finished, str(wanted.relative_to(finished.folder)))
        assert_one_line(output, "texalign: ", str(path.relative_to(finished.folder)), *words)
