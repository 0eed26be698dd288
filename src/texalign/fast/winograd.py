"""Convolutions with a quarter of the multiplications: Winograd's minimal filtering, F(5 x 5, 3 x 3).

A processor's own convolution runs at its arithmetic limit, so only fewer operations make it faster.
Tiles of 7 x 7 pixels, 5 apart, and the kernels are transformed, multiplied channel by channel (49
matrix products instead of 225 multiplications a tile), and transformed back to 5 x 5 pixels. 5 x 5
kernels take the same tiles 3 apart.

Source: Lavin & Gray (2016), Fast algorithms for convolutional neural networks, CVPR, section 4.
"""

import copy
import logging
import math
from dataclasses import replace

import torch
from torch import nn

from texalign import readout
from texalign.fast import winograd_kernels
from texalign.fast.threads import as_a_worker

log = logging.getLogger(__name__)

#: With fewer channels the transforms cost more than the products save.
FEWEST_CHANNELS = 32

#: What the read-outs of the whole network may differ by, relative to their largest value. Rounding
#: gives 1e-6 to 8e-6: about six times that of the plain convolution.
TOLERANCE = 5e-5

#: Tiles at a time: enough rows for a matrix product, few enough to stay in the processor's cache; 16
#: maps of 14, 28 or 56 pixels on a side make a multiple of them. The number is always the same, as
#: oneDNN would put packed kernels into another order, slowly and at each call, for another one.
TILES = 144

#: Where the polynomials are evaluated, besides infinity.
POINTS = (0, 1, -1, 2, -2, 1 / 2)
COMPONENTS = winograd_kernels.SIDE**2


def speed_up(network, size=224):
    """Put `WinogradConv2d` in the place of every convolution that gains by it.

    On a CPU and in float32 only: a GPU's library chooses such algorithms by itself. A network whose
    read-outs would move by more than rounding is returned as it is.

    Parameters
    ----------
    network : networks.Network
        Best after `fast.fold_batchnorm`. The result cannot record gradients.
    size : int
        Pixels of the image on which the read-outs before and after are compared.

    Returns
    -------
    Network
        With a module of its own; the argument is left alone. Copy it by `networks.twin`: oneDNN's
        packed kernels are no memory that Python can copy.
    """
    names = [name for name, module in network.module.named_modules() if gains(module)]
    # Two operators that torch keeps for its compiler; a build without oneDNN has them not.
    packed = hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    on_cpu = network.device.type == "cpu" and packed and gainful()
    if not names or not on_cpu or network.precision != "float32":
        return network
    fast = replace(network, module=copy.deepcopy(network.module))
    with as_a_worker(network):
        for name in names:
            fast.module.set_submodule(name, WinogradConv2d(fast.module.get_submodule(name)))
        error = readout.largest_difference(network, fast, size)
    if not error <= TOLERANCE:
        log.info("no Winograd convolutions: a read-out would change by %.1e", error)
        return network
    log.info("%d Winograd convolutions; largest relative change of a read-out %.1e", len(names), error)
    return replace(fast, changes=(*network.changes, f"{len(names)} Winograd convolutions"))


def gainful():
    """Whether this processor is of a class on which the compiled transforms were measured to pay."""
    return torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def gains(module):
    """Whether a module is a convolution that `WinogradConv2d` can do, and faster."""
    return (
        type(module) is nn.Conv2d
        and module.kernel_size in ((3, 3), (5, 5))
        and module.stride == module.dilation == (1, 1)
        and module.groups == 1
        and isinstance(module.padding, tuple)
        and module.padding_mode == "zeros"
        and min(module.in_channels, module.out_channels) >= FEWEST_CHANNELS
    )


def kernel_transform(size):
    """Matrix G, shape (7, size): a kernel's `size` values at the points, by their Lagrange weights."""
    rows = []
    for p in POINTS:
        weight = math.prod(p - q for q in POINTS if q != p)
        rows.append([p**i / weight for i in range(size)])
    return torch.tensor([*rows, [0] * (size - 1) + [1]], dtype=torch.float64)


class WinogradConv2d(nn.Module):
    """The same convolution as `conv`, for inference on a CPU, in channels-last layout.

    Parameters
    ----------
    conv : nn.Conv2d
        With 3 x 3 or 5 x 5 kernels, stride 1 and any zero padding; see `gains`.
    """

    def __init__(self, conv):
        super().__init__()
        self.size, self.padding = conv.kernel_size[0], conv.padding
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        weight, transform = conv.weight.detach().double(), kernel_transform(self.size)
        kernels = torch.einsum("ai,kcij,bj->abkc", transform, weight, transform)
        kernels = kernels.reshape(-1, self.in_channels, 1, 1).float()
        # The products of all components are one grouped 1 x 1 convolution, the fastest matrix product
        # of torch on a CPU once its kernels lie in oneDNN's own order.
        shape = [1, COMPONENTS * self.in_channels, TILES, 1]
        packed = torch.ops.mkldnn._reorder_convolution_weight(
            kernels, [0, 0], [1, 1], [1, 1], COMPONENTS, shape
        )
        bias = torch.zeros(len(weight)) if conv.bias is None else conv.bias.detach().clone()
        self.register_buffer("kernels", packed, persistent=False)
        self.register_buffer("bias", bias.float(), persistent=False)

    def forward(self, maps):
        """Shape (b, C, H, W) → (b, K, H', W')."""
        maps = maps.permute(0, 2, 3, 1).contiguous()
        (pad_y, pad_x), beyond = self.padding, self.size - 1
        height, width = maps.shape[1] + 2 * pad_y - beyond, maps.shape[2] + 2 * pad_x - beyond
        out = maps.new_empty(len(maps), height, width, self.out_channels)
        pixels = winograd_kernels.SIDE - beyond  # on a side of an output tile
        rows, columns = -(-height // pixels), -(-width // pixels)
        source, target, bias = maps.numpy(), out.numpy(), self.bias.numpy()
        tiles = maps.new_zeros(TILES, COMPONENTS, self.in_channels)
        for first in range(0, len(maps) * rows * columns, TILES):
            n = min(TILES, len(maps) * rows * columns - first)
            winograd_kernels.transform_input(
                source, first, pad_y, pad_x, pixels, rows, columns, tiles[:n].numpy()
            )
            products = self._multiply(tiles)[:n].numpy()
            winograd_kernels.transform_output(products, first, pixels, rows, columns, bias, target)
        return out.permute(0, 3, 1, 2)

    def _multiply(self, tiles):
        """Components (TILES, 49, C) of the maps → (TILES, 49, K) of the result."""
        maps = tiles.view(1, TILES, 1, -1).permute(0, 3, 1, 2)
        products = torch.ops.mkldnn._convolution_pointwise(
            maps, self.kernels, None, [0, 0], [1, 1], [1, 1], COMPONENTS, "none", [], ""
        )
        return products.permute(0, 2, 3, 1).reshape(TILES, COMPONENTS, self.out_channels)
