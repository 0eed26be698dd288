"""Tables on disk, and the order of their rows."""

import re


def natural(name):
    """Sort key under which ``resnet18`` comes before ``resnet101``, and ``L2`` before ``L10``.

    Examples
    --------
    >>> sorted(["L10", "L2"], key=natural)
    ['L2', 'L10']
    """
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(name))]


def check_one_condition(mi):
    """Refuse a table that mixes readouts, clusterings or numbers of clusters.

    Raises
    ------
    ValueError
        A network has two rows for a layer, or one of the columns ``readout``, ``clustering``, ``k``
        has two values.
    """
    for column in ("readout", "clustering", "k"):
        if column in mi and mi[column].nunique() > 1:
            raise ValueError(f"{column} must have one value, got {sorted(mi[column].unique())}: filter first")
    twice = mi.duplicated(["network", "layer"])
    if twice.any():
        raise ValueError(f"two rows for {tuple(mi.loc[twice.idxmax(), ['network', 'layer']])}")


def best_layers(mi):
    """Find the layer of each network that tells most about the classes (section 4.7).

    Parameters
    ----------
    mi : DataFrame
        The tidy table of mutual information, one row for each network and layer, of one readout,
        clustering and number of clusters.

    Returns
    -------
    DataFrame
        For each network the row with the highest ``mi_bits``, the earliest layer where several are
        equal, in the order of the networks' names. The order of `mi` does not matter.
    """
    check_one_condition(mi)
    rank = mi["layer"].map({name: i for i, name in enumerate(sorted(mi["layer"].unique(), key=natural))})
    ordered = mi.assign(_rank=rank).sort_values(
        ["network", "mi_bits", "_rank"], ascending=[True, False, True], na_position="last"
    )
    return ordered.drop(columns="_rank").drop_duplicates("network").reset_index(drop=True)
