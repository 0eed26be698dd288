"""How often intervals of mutual information cover the truth, on simulated tables of known information.

    python bench/interval_coverage.py [repetitions [name ...]]

A line for each kind of table: the truth (mean), coverage of the calibrated interval at a nominal 95 %, of NSB
plus and minus two posterior standard deviations, their mean errors in bits, and the mean width by 4, which is
a standard error.
"""

import sys

import numpy as np

from texalign.information.interval import interval, plugin_bits
from texalign.information.mutual import mutual_information


def agreeing(q, k, columns=None):
    """Class and cluster are equal in a share q of the textures; the others are anywhere."""
    spread = np.full(k, 1 / k) if columns is None else columns
    return q * np.eye(k) + (1 - q) * spread


def near(k, generator, dimensions=5, clusters=None):
    """Classes and clusters are points, and textures fall into clusters near their class."""
    a, b = np.split(generator.normal(size=(k + (clusters or k), dimensions)), [k])
    p = np.exp(-0.7 * ((a[:, None] - 1.2 * b) ** 2).sum(-1))
    return p / p.sum(1, keepdims=True)


def halfway(classes, clusters, share):
    """As `agreeing`, with more clusters than classes: each class has one of its own."""
    own = np.zeros((classes, clusters))
    own[np.arange(classes), np.arange(classes) * clusters // classes] = 1
    return share * own + (1 - share) / clusters


def nested(classes, clusters, groups, generator):
    """Each class has a cluster of its own, some that its group shares, and is seldom anywhere else."""
    group_of_class = np.arange(classes) * groups // classes
    group_of_cluster = np.arange(clusters) * groups // clusters
    p = 0.3 * generator.dirichlet(np.full(clusters, 5), size=classes)
    for i, row in enumerate(p):
        shared = np.flatnonzero(group_of_cluster == group_of_class[i])
        row[shared] += 0.4 * generator.dirichlet(np.full(len(shared), 2))
        row[shared[i % len(shared)]] += 0.3
    return p


def three_each(k, generator):
    """Each class has three clusters."""
    p = np.zeros((k, k))
    for row in p:
        row[generator.choice(k, 3, replace=False)] = generator.dirichlet(np.ones(3))
    return p


#: Name → textures, classes, and a function from a generator to p(cluster | class).
TABLES = {
    "evenly, 0 %": (5640, 47, lambda g: agreeing(0, 47)),
    "evenly, 5 %": (5640, 47, lambda g: agreeing(0.05, 47)),
    "evenly, 30 %": (5640, 47, lambda g: agreeing(0.3, 47)),
    "evenly, 80 %": (5640, 47, lambda g: agreeing(0.8, 47)),
    "skewed, 0 %": (5640, 47, lambda g: agreeing(0, 47, g.dirichlet(np.full(47, 0.15)))),
    "skewed, 30 %": (5640, 47, lambda g: agreeing(0.3, 47, g.dirichlet(np.full(47, 0.3)))),
    "near clusters": (5640, 47, lambda g: near(47, g)),
    "Dirichlet 0.1": (5640, 47, lambda g: g.dirichlet(np.full(47, 0.1), size=47)),
    "Dirichlet 1": (5640, 47, lambda g: g.dirichlet(np.ones(47), size=47)),
    "three each": (5640, 47, lambda g: three_each(47, g)),
    "7 classes of 60, 30 %": (420, 7, lambda g: agreeing(0.3, 7)),
    "7 classes of 60, near": (420, 7, lambda g: near(7, g)),
    # Many clusters of few textures, on which nothing of the interval was tuned.
    "7 of 60, 20 clusters, 30 %": (420, 7, lambda g: halfway(7, 20, 0.3)),
    "7 of 60, 47 clusters, 10 %": (420, 7, lambda g: halfway(7, 47, 0.1)),
    "7 of 60, 47 clusters, 60 %": (420, 7, lambda g: halfway(7, 47, 0.6)),
    "7 of 60, 20 clusters, nested": (420, 7, lambda g: nested(7, 20, 3, g)),
    "7 of 60, 47 clusters, nested": (420, 7, lambda g: nested(7, 47, 3, g)),
    "100 clusters, skewed, 0 %": (5640, 47, lambda g: np.tile(g.dirichlet(np.full(100, 0.15)), (47, 1))),
    "100 clusters, near": (5640, 47, lambda g: near(47, g, clusters=100)),
    "12 classes of 15, 30 %": (180, 12, lambda g: agreeing(0.3, 12)),
    "12 classes of 15, 80 %": (180, 12, lambda g: agreeing(0.8, 12)),
}


def draw(name, generator):
    """Labels of one study, and their true information in bits."""
    n, k, conditional = TABLES[name]
    p = conditional(generator)
    counts = generator.multinomial(np.full(k, n // k), p)
    classes = np.repeat(np.arange(k), n // k)
    clusters = np.concatenate([np.repeat(np.arange(p.shape[1]), row) for row in counts])
    return classes, clusters, float(plugin_bits(p))


def covered(name, repetitions, simulations=200, seed=0):
    """Coverage of the interval, coverage of NSB +- 2 sd, and errors and widths, by name of the column."""
    generator, rows = np.random.default_rng(seed), []
    for repetition in range(repetitions):
        classes, clusters, truth = draw(name, generator)
        found = interval(classes, clusters, simulations, repetition)
        nsb = mutual_information(classes, clusters)
        rows.append(
            {
                "truth": truth,
                "interval": found.low_bits <= truth <= found.high_bits,
                "nsb": abs(nsb.bits - truth) <= 2 * nsb.sd_bits,
                "error": found.bits - truth,
                "nsb_error": nsb.bits - truth,
                "width_by_4": (found.high_bits - found.low_bits) / 4,
                "nsb_sd": nsb.sd_bits,
            }
        )
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


if __name__ == "__main__":
    repetitions, names = int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2:] or list(TABLES)
    print(f"{'table':28}  truth  covered  NSB±2sd   error  NSB error  width/4  NSB sd")
    for name in names:
        row = covered(name, repetitions)
        numbers = "{truth:7.2f} {interval:8.0%} {nsb:8.0%} {error:+8.3f}"
        numbers += " {nsb_error:+9.3f} {width_by_4:9.3f} {nsb_sd:8.3f}"
        print(f"{name:28}{numbers.format(**row)}", flush=True)
