"""The HDF5 layouts of the study, written whole or not at all."""

import contextlib
import json
import os
from importlib import metadata
from typing import NamedTuple

import h5py
import numpy as np

from texalign import blocks
from texalign.errors import InputError
from texalign.files import whole
from texalign.version import __version__

#: Rows by columns of one chunk of a row-per-texture matrix: 1 MiB of float32, good both for
#: appending a few rows and for reading a slab of columns.
CHUNK = (64, 4096)


@contextlib.contextmanager
def create_h5(path, about=None, size=0):
    """Open a new HDF5 file that appears under `path` when the block ends without an error.

    It ends with checksums of all that is in it, see `texalign.blocks`.

    Parameters
    ----------
    path : str or Path
    about : dict, optional
        Plain values, kept as JSON in the attribute ``made_by``: see `texalign.job.about`.
    size : int, optional
        Bytes that it will hold, where they are many: see `texalign.files.whole`.
    """
    with whole(path, size) as temporary, blocks.Writer(temporary) as disk:
        try:
            # Without a cache, chunks reach the disk when they are written, and a full disk shows there.
            # A chunk of a mebibyte lies in blocks of its own, so that nothing is read beside it.
            align = {"alignment_threshold": 2**20, "alignment_interval": blocks.BLOCK}
            with h5py.File(disk, "w", libver="v110", rdcc_nbytes=0, **align) as file:
                file.attrs.update(versions=versions(), made_by=json.dumps(about or {}))
                yield file
        finally:
            if disk.error:
                raise disk.error
        disk.finish()


def open_h5(path, strided=False):
    """Open an HDF5 file that `create_h5` wrote, read-only and without a lock: parallel jobs can share it.

    Parameters
    ----------
    path : str or Path
    strided : bool
        The file will be read by slabs of columns. The system is told not to read ahead: what lies
        behind a chunk belongs to other columns, and reading it too takes up to three times as long.

    Raises
    ------
    InputError
        The file is missing or not whole; or, later, what is read from it is not what was written.
    """
    disk = blocks.Reader(path)
    if strided and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(disk.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
    return h5py.File(disk, "r")


def is_ours(path):
    """Tell an HDF5 file of texalign, damaged ones too, from one of another program, as rsatoolbox's."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return "made_by" in file.attrs
    except OSError:
        return True


def versions():
    """Versions of what the numbers depend on, for the attributes of a file."""
    return f"texalign {__version__}, " + ", ".join(
        f"{name} {metadata.version(name)}" for name in ("torch", "torchvision", "numpy", "h5py")
    )


def write_keys(file, files, classes):
    """Store which texture a row is: its `file` and its `class`. A row never travels without them."""
    write_texts(file, "file", files)
    write_texts(file, "class", classes)


def read_keys(file):
    """Return `file` and `class` of every row, as two arrays of str."""
    return read_texts(file, "file"), read_texts(file, "class")


def row_names(file, layer, module):
    """Name every row for an error: the texture's file, and the layer with its module."""
    return [f"{name}: layer {layer} ({module})" for name in read_texts(file, "file")]


class RowWriter:
    """Append rows to a new float32 dataset, in whole chunks.

    Parameters
    ----------
    group : h5py.Group
    name : str
    n, length : int
        Shape of the finished dataset.
    """

    def __init__(self, group, name, n, length):
        chunks = (min(CHUNK[0], n), min(CHUNK[1], length))
        self._dataset = group.create_dataset(name, (n, length), np.float32, chunks=chunks)
        self._buffer = np.empty((min(CHUNK[0], n), length), np.float32)
        self._held = self._written = 0

    def append(self, rows):
        """Add rows of shape (b, length)."""
        first = 0
        while first < len(rows):
            take = min(len(self._buffer) - self._held, len(rows) - first)
            self._buffer[self._held : self._held + take] = rows[first : first + take]
            self._held += take
            first += take
            if self._held == len(self._buffer):
                self.flush()

    def flush(self):
        """Write what is held back. Call it after the last row."""
        self._dataset[self._written : self._written + self._held] = self._buffer[: self._held]
        self._written += self._held
        self._held = 0


def write_texts(file, name, texts):
    """Store strings as a dataset."""
    file.create_dataset(name, data=np.asarray(texts, dtype=object), dtype=h5py.string_dtype())


def read_texts(file, name):
    """Return a dataset of strings as an array of str."""
    return file[name].asstr()[:].astype(str)


def copy_labels(source, layer, target):
    """Hand on which texture a row is, and how it was measured, to a file made from another.

    Parameters
    ----------
    source : h5py.Group
        Holds `file` and `class`, and the network's attributes.
    layer : h5py.Group
        Holds the layer's attributes; the same as `source` where a file has one layer.
    target : h5py.Group
    """
    for name in ("file", "class"):
        source.copy(name, target)
    # A file keeps what it says of its own making.
    known = {**source.attrs, **layer.attrs}
    target.attrs.update({name: value for name, value in known.items() if name not in target.attrs})


def common_keys(paths):
    """`file` and `class` of several HDF5 files, which must be the same in all.

    Raises
    ------
    InputError
        Two files hold different textures, or the same in another order.
    """
    first = None
    for path in paths:
        with open_h5(path) as file:
            keys = read_keys(file)
        first = first or keys
        if not all(np.array_equal(ours, theirs) for ours, theirs in zip(first, keys, strict=True)):
            raise InputError(f"{path}: holds other textures than {paths[0]}; delete both and run again")
    return first


def network_attributes(network, readout):
    """Attributes of a Gram file: what its numbers were computed with."""
    return {
        "architecture": network.architecture,
        "changes": "; ".join(network.changes),
        "weights": network.weights,
        "weights_sha256": network.weights_sha256,
        "preprocessing": network.preprocessing or f"mean {network.mean}, standard deviation {network.std}",
        "readout": readout,
        "precision": network.precision,
        "device": str(network.device),
    }


def write_rdm(file, n, blocks):
    """Store two condensed RDMs, ``euclidean`` and ``cosine``, and the rows' ``squared_norms``.

    Parameters
    ----------
    file : h5py.File
    n : int
        Textures.
    blocks : iterable
        As `texalign.geometry.distances.rdm_blocks` gives them.
    """
    euclidean, cosine = (
        file.create_dataset(name, (n * (n - 1) // 2,), np.float32) for name in ("euclidean", "cosine")
    )
    for part, *values, squared_norms in blocks:
        euclidean[part], cosine[part] = values
        norms = squared_norms
    file["squared_norms"] = norms


def write_people(file, euclidean, observers, words):
    """Store an RDM of people's as those of networks are, with the ``observers``' own.

    Parameters
    ----------
    file : h5py.File
    euclidean : array, shape (n(n-1)/2,)
        Its cosine distances are those of rows of norm one, which descriptions have.
    observers : array, shape (o, n(n-1)/2)
        RDMs one by one, or of halves of what people said; o may be 0.
    words : str
        What was compared, in place of a network's module.
    """
    n = round((1 + np.sqrt(1 + 8 * len(euclidean))) / 2)
    write_rdm(file, n, [(slice(None), euclidean, np.square(euclidean) / 2, np.ones(n))])
    file["observers"] = np.asarray(observers, np.float32)
    describe_rows(file, words)


def describe_rows(file, what):
    """Note what an RDM without a network compares, in the attributes that a layer has."""
    file.attrs.update(module=what, channels=0, positions=0, depth=np.nan)


def write_labels(group, k, labels):
    """Store the cluster of each texture under a cut into k clusters."""
    group[f"k{k}"] = labels


def read_labels(group):
    """Return the cluster labels of a layer, as a dict from k, ascending, to an array (n,)."""
    cuts = sorted(int(name[1:]) for name in group if name.startswith("k") and name[1:].isdecimal())
    return {k: group[f"k{k}"][:] for k in cuts}


class SecondOrder(NamedTuple):
    """How alike RDMs are, with the index to each of them.

    Attributes
    ----------
    networks, layers, paths : sequence of str, length m
        Of each RDM; the path is relative to the working directory.
    matrix : array, shape (m, m)
        Correlation of each two RDMs.
    class_identity : array, shape (m,)
        Correlation of each RDM with that of the classes.
    """

    networks: tuple
    layers: tuple
    paths: tuple
    matrix: np.ndarray
    class_identity: np.ndarray


def write_second_order(file, compared):
    """Store a `SecondOrder`: ``second_order``, ``class_identity``, ``network``, ``layer``, ``path``."""
    file["second_order"], file["class_identity"] = compared.matrix, compared.class_identity
    write_texts(file, "network", compared.networks)
    write_texts(file, "layer", compared.layers)
    write_texts(file, "path", compared.paths)


def read_second_order(file):
    """Return what `write_second_order` stored."""
    names = (tuple(read_texts(file, name)) for name in ("network", "layer", "path"))
    return SecondOrder(*names, file["second_order"][:], file["class_identity"][:])


def write_with_controls(file, compared, chance):
    """Store a `SecondOrder` of all that is drawn, controls last, in the group ``with_controls``.

    Parameters
    ----------
    file : h5py.File
    compared : SecondOrder
    chance : sequence of float, length m
        Spread of ``class_identity`` over shuffled classes.
    """
    group = file.create_group("with_controls")
    write_second_order(group, compared)
    group["chance"] = np.asarray(chance)


def read_with_controls(file):
    """Return what `write_with_controls` stored: (SecondOrder, chance)."""
    group = file["with_controls"]
    return read_second_order(group), group["chance"][:]


def image_dataset(file, n, size):
    """Make room for n images, uint8, shape (n, size, size, 3), one a chunk."""
    return file.create_dataset("image", (n, size, size, 3), np.uint8, chunks=(1, size, size, 3))


def gram_bytes(shapes, n):
    """Bytes of the packed Gram matrices and means of n textures in layers of these shapes (N, H', W')."""
    return 4 * n * sum(channels * (channels + 1) // 2 + channels for channels, _, _ in shapes.values())


class GramWriter:
    """Append packed Gram matrices and channel means of textures to a layer's group.

    Parameters
    ----------
    group : h5py.Group
    n, channels : int
        Textures, and N.
    """

    def __init__(self, group, n, channels):
        self._gram = RowWriter(group, "gram", n, channels * (channels + 1) // 2)
        self._mean = RowWriter(group, "mean", n, channels)

    def append(self, gram, mean):
        """Add textures: arrays of shape (b, N(N+1)/2) and (b, N)."""
        self._gram.append(gram)
        self._mean.append(mean)

    def flush(self):
        """Write what is held back. Call it after the last texture."""
        self._gram.flush()
        self._mean.flush()


def gram_writers(file, layers, shapes, n, about=None):
    """Make one group a layer, each with room for the ``gram`` and ``mean`` of n textures.

    Parameters
    ----------
    file : h5py.File
    layers : dict of str to str
        Layer to module.
    shapes : dict of str to tuple
        Layer to (N, H', W').
    n : int
    about : dict of str to dict, optional
        Module to further attributes: see `texalign.readout.attributes`.

    Returns
    -------
    dict of str to GramWriter
    """
    groups = _layer_groups(file, layers, shapes, about)
    return {layer: GramWriter(group, n, shapes[layer][0]) for layer, group in groups.items()}


def quantile_writers(file, layers, shapes, n, how, about=None):
    """Make one group a layer, each with room for the ``quantiles`` of n textures: see `texalign.gram.sliced`.

    Parameters
    ----------
    file, layers, shapes, n, about
        See `gram_writers`.
    how : dict
        directions, quantiles, seed: kept in the groups' attributes.

    Returns
    -------
    dict of str to RowWriter
    """
    writers = {}
    for layer, group in _layer_groups(file, layers, shapes, about).items():
        group.attrs.update({key: how[key] for key in ("directions", "quantiles", "seed")})
        length = how["directions"] * min(how["quantiles"], group.attrs["positions"])
        writers[layer] = RowWriter(group, "quantiles", n, length)
    return writers


def _layer_groups(file, layers, shapes, about):
    groups = {}
    for layer, module in layers.items():
        channels, height, width = shapes[layer]
        groups[layer] = file.create_group(layer)
        groups[layer].attrs.update(module=module, channels=channels, positions=height * width)
        groups[layer].attrs.update({"channel_axis": "first"} | (about or {}).get(module, {}))
    return groups
