"""BatchNorm folded into the convolution before it."""

import copy
import logging
from dataclasses import replace

import torch
from torch import nn

from texalign import channels, readout

log = logging.getLogger(__name__)

#: What the read-outs of a folded network may differ by, relative to their largest value. Rounding
#: alone gives about 1e-6; a wrongly folded pair of modules gives more than 1e-2.
FOLDING_TOLERANCE = 1e-4


def fold_batchnorm(network, size=224):
    """Fold each BatchNorm into the convolution before it, where no read-out changes by it.

    A pair is folded when the convolution's only consumer is the BatchNorm, the convolution
    itself is not read, and its weights are plain parameters: those under weight or spectral norm are
    computed anew in each pass. The BatchNorm's place is kept by an identity, so layers keep their names. A
    network that cannot be traced symbolically, or whose read-outs would move by more than rounding,
    is returned as it is.

    Parameters
    ----------
    network : Network
    size : int
        Pixels of the image on which the read-outs before and after are compared.

    Returns
    -------
    Network
        With a module of its own; the argument is left alone.
    """
    pairs = _foldable_pairs(network.module, set(network.layers.values()))
    if not pairs:
        return network
    folded = replace(network, module=copy.deepcopy(network.module))
    for convolution, norm in pairs:
        conv, bn = folded.module.get_submodule(convolution), folded.module.get_submodule(norm)
        fused = nn.utils.fuse_conv_bn_weights(
            conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
        )
        conv.weight, conv.bias = (nn.Parameter(p.detach(), requires_grad=False) for p in fused)
        folded.module.set_submodule(norm, nn.Identity())
    channels.lay_out(folded.module.eval())
    error = readout.largest_difference(network, folded, size)
    if error > FOLDING_TOLERANCE:
        log.info("BatchNorm is not folded: a read-out would change by %.1e", error)
        return network
    log.info("folded %d BatchNorm layers; largest relative change of a read-out %.1e", len(pairs), error)
    return replace(folded, changes=(*network.changes, f"{len(pairs)} BatchNorm layers folded"))


class _Tracer(torch.fx.Tracer):
    """Keep every convolution whole, also a subclass that pads by itself."""

    def is_leaf_module(self, module, name):
        return isinstance(module, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(module, name)


def _foldable_pairs(module, read_out):
    """Names of (convolution, BatchNorm) pairs in which nothing else sees the convolution's output."""
    try:
        graph = _Tracer().trace(module)
    except Exception as error:
        log.info("BatchNorm is not folded: the network cannot be traced (%s)", type(error).__name__)
        return []
    called = [node.target for node in graph.nodes if node.op == "call_module"]
    pairs = []
    for node in graph.nodes:
        if node.op != "call_module" or not isinstance(module.get_submodule(node.target), nn.BatchNorm2d):
            continue
        before = node.all_input_nodes[0]
        if (
            isinstance(before, torch.fx.Node)
            and before.op == "call_module"
            and isinstance(module.get_submodule(before.target), nn.Conv2d)
            and _plain(module.get_submodule(before.target), module.get_submodule(node.target))
            and len(before.users) == 1
            and before.target not in read_out
            and module.get_submodule(node.target).running_mean is not None
            and called.count(before.target) == called.count(node.target) == 1
        ):
            pairs.append((before.target, node.target))
    return pairs


def _plain(*modules):
    """Whether the weights and biases of modules are parameters, and not computed from others."""
    return all(
        getattr(module, name) is None or isinstance(getattr(module, name), nn.Parameter)
        for module in modules
        for name in ("weight", "bias")
    ) and not any(nn.utils.parametrize.is_parametrized(module) for module in modules)
