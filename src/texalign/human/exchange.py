"""RDMs as files of rsatoolbox, with what each RDM and each texture is."""

import importlib

import h5py
import numpy as np

from texalign.files import whole
from texalign.human.agreement import toolbox


def save_rdms(path, rdms, about, files, classes, measure="euclidean"):
    r"""Write RDMs as a file that ``rsatoolbox.rdm.load_rdm`` reads.

    Parameters
    ----------
    path : str or Path
        Ends in ``.h5`` or ``.hdf5``, by which rsatoolbox knows its form.
    rdms : array, shape (o, n(n-1)/2)
        Condensed.
    about : dict of str to list
        Descriptors of the RDMs, such as network and layer.
    files, classes : sequence of str
        Descriptors of the textures. rsatoolbox keeps ASCII only: other letters are written as ``\uXXXX``,
        which `texalign.human.similarities.read_similarities` turns back.
    measure : str
        What the dissimilarities are.

    Raises
    ------
    InputError
        rsatoolbox is not installed.
    """
    toolbox()
    kind = importlib.import_module("rsatoolbox.rdm").RDMs
    of_textures = {"file": list(map(_ascii, files)), "class": list(map(_ascii, classes))}
    found = kind(
        np.asarray(rdms, np.float64),
        dissimilarity_measure=measure,
        rdm_descriptors={key: list(map(_ascii, values)) for key, values in about.items()},
        pattern_descriptors=of_textures,
    )
    # An open file, as HDF5 would lock a path once more; it is an empty HDF5 file, to which rsatoolbox adds.
    with whole(path) as temporary, open(temporary, "w+b") as disk:
        h5py.File(disk, "w").close()
        found.save(disk, file_type="hdf5")


def _ascii(text):
    return str(text).encode("ascii", "backslashreplace").decode()
