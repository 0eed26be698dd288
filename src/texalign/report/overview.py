"""What the first page says of a study, from its tables."""

import pandas as pd

from texalign import tables, views
from texalign.report import pages

#: Columns of the table of all networks and layers, where they are there.
COLUMNS = (
    *("network", "layer", "module", "mi_corrected_bits", "mi_low_bits", "mi_high_bits", "mi_bits"),
    *("adjusted_mutual_information", "class_identity", "best"),
)

#: What a choice means, where its value does not say it by itself.
MEANINGS = {
    ("readout", "linear"): "each layer as its module puts it out",
    ("readout", "relu"): "the positive part of what a layer's module puts out",
    ("normalisation", "weights"): "images are scaled as those that a network was trained with",
    ("normalisation", "dtd"): "images are scaled by DTD's mean and deviation",
    ("representation", "gram"): "Gram matrices of feature maps are compared",
    ("clustering", "gram"): "by Euclidean distances of what is compared",
    ("clustering", "cosine"): "by the angles between what is compared",
    ("clustering", "rdm_rows"): "by Euclidean distances of the rows of the matrix of distances",
    ("estimator", "nsb"): "entropies by Nemenman, Shafee and Bialek's estimator",
    ("estimator", "plugin"): "entropies of the counts as they are, which is too small for few textures",
}

#: How the columns begin that tell how far a layer agrees with people.
PEOPLE = "human_"


def networks(main, scored, names):
    """Put together what is known of each network.

    Parameters
    ----------
    main : DataFrame
        The tidy table of as many clusters as classes.
    scored : DataFrame
        `brainscore_networks.csv`: network, scored.
    names : dict of str to str

    Returns
    -------
    DataFrame
        network, name, weights, control, scored, and its best layer.
    """
    best = tables.best_layers(main).set_index("network")["layer"]
    table = main.drop_duplicates("network")[["network", "weights", "control"]]
    table = table.assign(layer=table["network"].map(best))
    has = set(scored.loc[scored["scored"].astype(bool), "network"])
    return table.assign(name=table["network"].map(names), scored=table["network"].isin(has))


def missing(networks, absent):
    """List what a reader might look for and not find.

    Parameters
    ----------
    networks : DataFrame
        See `networks`.
    absent : dict of str to str
        What was not made, to how it is made.

    Returns
    -------
    list of str
    """
    names = networks["name"]
    plain = networks[~networks["control"].astype(bool)]
    found = []
    random = plain[views.untrained(plain["weights"])]
    if len(random):
        found.append(
            f"Trained weights of {', '.join(random['name'])}: untrained here, their information and their "
            "correlation with scores show the machinery, not a result."
        )
    without = plain[~plain["scored"].astype(bool)]
    if len(without):
        found.append(
            f"Brain-Scores of {', '.join(without['name'])}: the table of scores has no such network."
        )
    if not networks["control"].astype(bool).any() and len(names):
        found.append("An untrained control: none is among the study's networks.")
    return found + [f"{what}: not made yet; {how} makes it." for what, how in absent.items()]


def layers_table(summary, names, metrics):
    """Join what is known of every layer, for the table of networks.

    Parameters
    ----------
    summary : DataFrame
        `summary.csv`.
    names : dict of str to str
    metrics : sequence of str

    Returns
    -------
    table : DataFrame
        The columns `COLUMNS`, agreement with people and the scores, as far as they are there; networks by
        their names.
    links : list of str
        The page of each row.
    """
    people = [name for name in summary if name.startswith(PEOPLE)]
    columns = [name for name in (*COLUMNS, *people, *metrics) if name in summary]
    rows = summary.sort_values("mi_bits", ascending=False, kind="stable")
    links = [
        f"networks/{network}/{layer}.html"
        for network, layer in zip(rows["network"], rows["layer"], strict=True)
    ]
    table = rows[columns].assign(network=rows["network"].map(names))
    empty = [name for name in metrics if name in table and table[name].isna().all()]
    return table.drop(columns=empty), links


def explain(columns, explained):
    """Explanations of columns, with those that are made from a reference's name.

    Parameters
    ----------
    columns : iterable of str
    explained : dict of str to str

    Returns
    -------
    dict of str to str
    """
    people = {
        name: f"agreement with people ({name.removeprefix(PEOPLE).replace('_', ' ')}): {explained['score']}"
        for name in columns
        if name.startswith(PEOPLE)
    }
    return explained | people


def describe_bits(mi, names=None):
    """Alternative text of the figure of information by layer: each network's best, in words."""
    best = mi.sort_values("mi_bits", ascending=False, kind="stable").drop_duplicates("network")
    told = [
        f"{(names or {}).get(row['network'], row['network'])} {row['mi_bits']:.2f} at {row['layer']}"
        for _, row in best.iterrows()
    ]
    return f"Mutual information in bits by layer; each network's most: {'; '.join(told)}."


def bits_of(row):
    """Tell what the clusters of a layer say of the classes."""
    if pd.isna(row.get("mi_low_bits")):
        return f"Its clusters share {row['mi_bits']:.2f} bits with the classes."
    return (
        f"Its {row['k']} clusters share {row['mi_corrected_bits']:.2f} bits with the classes, 95 % interval "
        f"{row['mi_low_bits']:.2f} to {row['mi_high_bits']:.2f}, of {row['h_class_bits']:.2f}."
    )


#: Caption of the figure of information by layer.
CHART = (
    "How much the clusters of each layer's Gram matrices tell of the classes, corrected for bias, with 95 % "
    "intervals. The band is what shuffled classes give, the dashed line the most there could be."
)


def facts(mi, choices):
    """List what the numbers rest on.

    Parameters
    ----------
    mi : DataFrame
        The tidy table of as many clusters as classes.
    choices : dict
        The parts of the config that a reader is told: dataset, image and single choices.

    Returns
    -------
    list of (str, str)
    """
    row = mi.iloc[0]
    source = choices["dataset"]
    place = {"dtd": "the Describable Textures Dataset", "procedural": "procedural textures, made by texalign"}
    told = place.get(source["source"]) or f"a folder of images, {source.get('path')}"
    found = [
        ("Textures", f"{row['n']} in {row['n_classes']} classes: {told}"),
        ("Clusters", f"{row['k']}, as many as classes, of Ward's tree"),
    ]
    single = ("readout", "normalisation", "bn_warmup", "representation", "precision")
    chosen = {key: choices[key] for key in single if choices.get(key) is not None}
    chosen |= {"clustering": choices["clustering"]["on"], "estimator": row["estimator"]}
    return found + [(key, _meaning(key, value)) for key, value in chosen.items()]


def _meaning(key, value):
    meaning = MEANINGS.get((key, value))
    return f"{value}: {meaning}" if meaning else value


def confused(networks, confusions, count=3):
    """List the classes that each network confuses most, at its best layer.

    Parameters
    ----------
    networks : DataFrame
        See `networks`.
    confusions : DataFrame
        `confusions.csv`: network, layer, class, other_class, confusion.
    count : int
        Pairs of a network.

    Returns
    -------
    list of dict
        name, layer, link; ``pairs`` of class, other class and confusion, the largest first.
    """
    rows = confusions[confusions["confusion"] >= pages.LEAST]
    rows = rows.sort_values("confusion", ascending=False, kind="stable")
    return [
        {
            "name": one["name"],
            "layer": one["layer"],
            "link": f"networks/{one['network']}/{one['layer']}.html",
            "pairs": rows.loc[
                (rows["network"] == one["network"]) & (rows["layer"] == one["layer"]),
                ["class", "other_class", "confusion"],
            ]
            .head(count)
            .to_numpy()
            .tolist(),
        }
        for one in networks.to_dict("records")
    ]


def listed(networks):
    """Name, weights and page of each network's best layer, for a template."""
    return [
        {
            "name": row["name"],
            "weights": row["weights"] + (" (a control)" if row["control"] else ""),
            "link": f"networks/{row['network']}/{row['layer']}.html",
        }
        for row in networks.to_dict("records")
    ]
