"""Traces of many images or generators in one table."""

from pathlib import Path

import pandas as pd

from texalign import tables


def join(paths):
    """Read traces, and tell of each row what its place tells.

    Parameters
    ----------
    paths : sequence of str or Path
        ``<texture>/<method>/<network>/<layers>/<run>.csv``.

    Returns
    -------
    DataFrame
        With the columns texture, network and run beside those that all traces have.
    """
    frames = []
    for path in map(Path, paths):
        texture, _, network, _, run = path.with_suffix("").parts[-5:]
        frames.append(tables.read(path).assign(texture=texture, network=network, run=run))
    return pd.concat(frames, join="inner", ignore_index=True)
