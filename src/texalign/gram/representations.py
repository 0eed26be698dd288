"""What of a layer's stored Gram matrices is compared: rows whose Euclidean distances make the RDM."""

from texalign.errors import InputError


def gram(layer):
    """Take the packed Gram matrices themselves, shape (n, N(N+1)/2); they are read by slabs."""
    return layer["gram"]


#: A representation's name in the config and in paths → a function from a layer of a Gram file to rows.
REPRESENTATIONS = {"gram": gram}


def rows(layer, representation):
    """Rows of a representation of one layer.

    Parameters
    ----------
    layer : h5py.Group or mapping
        A layer of a Gram file, see `texalign.store.gram_writers`.
    representation : str
        A key of `REPRESENTATIONS`.

    Returns
    -------
    array or h5py.Dataset, shape (n, D)
    """
    if representation not in REPRESENTATIONS:
        allowed = ", ".join(REPRESENTATIONS)
        raise InputError(f"representation: {representation!r} is not allowed; use one of {allowed}")
    return REPRESENTATIONS[representation](layer)
