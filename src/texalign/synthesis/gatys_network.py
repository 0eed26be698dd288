"""The network of Gatys et al. (2015): average pooling in place of max pooling, and scaled filters."""

import copy
from dataclasses import replace

import torch
from torch import nn

from texalign import readout, store
from texalign.errors import InputError


def prepare(network, means=None):
    """Prepare a network as Gatys et al. do: average pooling in place of max pooling, and scaled weights.

    Parameters
    ----------
    network : networks.Network
        VGG or AlexNet of torchvision without BN, or any other network that starts with ``features``,
        a chain of convolutions, ReLUs and poolings.
    means : dict of str to Tensor, optional
        From `mean_activations` on the network with average pooling (``prepare(network)``);
        without it the weights stay as they are.

    Returns
    -------
    networks.Network
        With a module of its own; what was done to it is added to its `changes`.

    Raises
    ------
    InputError
        The network is no such chain.

    Examples
    --------
    The network of the paper, on whose average-pooled maps the means are taken::

        network = prepare(networks.load(entry))
        network = prepare(network, mean_activations(network, batches))
    """
    _check_chain(network)
    network, changes = replace(network, module=copy.deepcopy(network.module)), list(network.changes)
    features = network.module.features
    pools = [(name, module) for name, module in features.named_children() if isinstance(module, nn.MaxPool2d)]
    for name, module in pools:
        pool = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
        features.set_submodule(name, pool.eval())
    if pools:
        changes.append("average pooling")
    if means is not None:
        _rescale(features, means)
        changes.append("filters scaled to a mean activation of 1")
    return replace(network, changes=tuple(dict.fromkeys(changes)))


def prepare_from(network, path):
    """Prepare a network with the activations of a file; without one it stays as it is."""
    return prepare(network, read_activations(path)) if path else network


def read_activations(path):
    """Read mean activations from a file, as `prepare` takes them."""
    with store.open_h5(path) as source:
        return {name: torch.from_numpy(source[name][:]) for name in source}


def mean_activations(network, batches):
    """Mean of each filter's rectified output over images and positions.

    Parameters
    ----------
    network : networks.Network
        As `prepare` gives it.
    batches : iterable
        Images as uint8 (b, H, W, 3) or floats in [0, 1] (b, 3, H, W).

    Returns
    -------
    dict of str to Tensor
        For each convolution of ``features`` a float32 tensor of shape (N,), on the CPU. Worth keeping.
    """
    _check_chain(network)
    names = [name for name, m in network.module.features.named_children() if isinstance(m, nn.Conv2d)]
    every = replace(network, layers={name: f"features.{name}" for name in names})
    sums, images = dict.fromkeys(names, 0.0), 0
    with torch.no_grad():
        for batch in batches:
            maps = {}
            readout.read(
                every,
                every.preprocess(batch),
                lambda name, m, maps=maps: maps.update(
                    {name: m.mean((2, 3), dtype=torch.float64).sum(0).cpu()}
                ),
                "relu",
            )
            sums = {name: sums[name] + maps[name] for name in names}
            images += len(batch)
    if not images:
        raise InputError("mean activations: no image was given")
    return {name: (total / images).float() for name, total in sums.items()}


def _rescale(features, means):
    """Divide each filter by its mean activation, and undo it where the next convolution reads it."""
    before = None
    for name, module in features.named_children():
        if isinstance(module, nn.Conv2d):
            mean = means[name].to(module.weight)
            mean = torch.where(mean > 0, mean, torch.ones_like(mean))  # a filter that never fires
            weight = module.weight if before is None else module.weight * before[None, :, None, None]
            weight = (weight / mean[:, None, None, None]).to(memory_format=torch.channels_last)
            module.weight = nn.Parameter(weight, requires_grad=False)
            if module.bias is not None:
                module.bias = nn.Parameter(module.bias / mean, requires_grad=False)
            before = mean


def _check_chain(network):
    features = getattr(network.module, "features", None)
    chain = (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d)
    if not isinstance(features, nn.Sequential) or not all(isinstance(m, chain) for m in features):
        raise InputError(
            "gatys: average pooling and rescaled weights need a chain of convolutions, ReLUs and poolings "
            "named features, as in vgg19 and alexnet; use the loss on the network as it is"
        )
    if any(m.groups != 1 for m in features if isinstance(m, nn.Conv2d)):
        raise InputError("gatys: convolutions in groups cannot be rescaled")
