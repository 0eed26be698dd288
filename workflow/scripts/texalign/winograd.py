"""3 x 3 convolutions with a quarter of the multiplications: Winograd's minimal filtering, F(4 x 4, 3 x 3).

A processor's own convolution runs at its arithmetic limit, so only fewer operations make it faster.
Tiles of 6 x 6 pixels, 4 apart, and the kernels are transformed, multiplied channel by channel (36 matrix
products instead of 144 multiplications a tile), and transformed back to 4 x 4 pixels.

Source: Lavin & Gray (2016), Fast algorithms for convolutional neural networks, CVPR, section 4.3.
"""

import copy
import logging
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its name everywhere

from texalign import networks

log = logging.getLogger(__name__)

#: With fewer channels the transforms, which read and write memory, cost more than the products save.
FEWEST_CHANNELS = 128

#: What the read-outs of the whole network may differ by, relative to their largest value. Rounding
#: gives 1e-6 to 5e-6: about four times that of the plain convolution.
TOLERANCE = 5e-5

#: Bytes of transformed tiles at a time: they are to stay in the processor's cache.
WORKSPACE = 16e6

KERNEL_TRANSFORM = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)


def speed_up(network, size=224):
    """Put `WinogradConv2d` in the place of every convolution that gains by it.

    On a CPU and in float32 only: a GPU's library chooses such algorithms by itself. A network whose
    read-outs would move by more than rounding is returned as it is.

    Parameters
    ----------
    network : networks.Network
        Best after `networks.fold_batchnorm`. The result cannot record gradients.
    size : int
        Pixels of the image on which the read-outs before and after are compared.

    Returns
    -------
    Network
        With a module of its own; the argument is left alone.
    """
    names = [name for name, module in network.module.named_modules() if gains(module)]
    if not names or network.device.type != "cpu" or network.precision != "float32":
        return network
    fast = replace(network, module=copy.deepcopy(network.module))
    for name in names:
        fast.module.set_submodule(name, WinogradConv2d(fast.module.get_submodule(name)))
    error = networks.largest_difference(network, fast, size)
    if not error <= TOLERANCE:
        log.info("no Winograd convolutions: a read-out would change by %.1e", error)
        return network
    log.info("%d Winograd convolutions; largest relative change of a read-out %.1e", len(names), error)
    return fast


def gains(module):
    """Whether a module is a convolution that `WinogradConv2d` can do, and faster."""
    return (
        type(module) is nn.Conv2d
        and module.kernel_size == (3, 3)
        and module.stride == module.dilation == (1, 1)
        and module.groups == 1
        and isinstance(module.padding, tuple)
        and module.padding_mode == "zeros"
        and min(module.in_channels, module.out_channels) >= FEWEST_CHANNELS
    )


class WinogradConv2d(nn.Module):
    """The same convolution as `conv`, for inference, in channels-last layout.

    Parameters
    ----------
    conv : nn.Conv2d
        With 3 x 3 kernels, stride 1 and any zero padding; see `gains`.
    """

    def __init__(self, conv):
        super().__init__()
        self.padding = conv.padding
        weight, transform = conv.weight.detach().double(), KERNEL_TRANSFORM
        kernels = torch.einsum("ai,kcij,bj->abck", transform, weight, transform).flatten(0, 1)
        bias = torch.zeros(len(weight)) if conv.bias is None else conv.bias.detach().clone()
        self.register_buffer("kernels", kernels.to(conv.weight.dtype).contiguous(), persistent=False)
        self.register_buffer("bias", bias.to(conv.weight.dtype), persistent=False)

    def forward(self, maps):
        """Shape (b, C, H, W) → (b, K, H', W')."""
        b, _, height, width = maps.shape
        k, (pad_y, pad_x) = self.kernels.shape[2], self.padding
        height, width = height + 2 * pad_y - 2, width + 2 * pad_x - 2
        rows, columns = -(-height // 4), -(-width // 4)  # tiles
        below, right = 4 * rows - height, 4 * columns - width
        padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, pad_x, pad_x + right, pad_y, pad_y + below))
        out = padded.new_empty(b, 4 * rows, 4 * columns, k)
        for images, lines in self._parts(b, rows, columns):
            tiles = padded[images, 4 * lines.start : 4 * lines.stop + 2]
            self._convolve(tiles, out[images, 4 * lines.start : 4 * lines.stop])
        return out[:, :height, :width].permute(0, 3, 1, 2)

    def _parts(self, b, rows, columns):
        """Slices of images and of rows of tiles, about WORKSPACE bytes each: whole images if they fit."""
        _, c, k = self.kernels.shape
        tiles = max(128, int(WORKSPACE / (36 * 4 * (c + k))))
        n_images = min(b, max(1, tiles // (rows * columns)))
        n_rows = rows if n_images > 1 else min(rows, max(1, tiles // columns))
        for first in range(0, b, n_images):
            for row in range(0, rows, n_rows):
                yield slice(first, min(b, first + n_images)), slice(row, min(rows, row + n_rows))

    def _convolve(self, padded, out):
        """Fill `out` (b, 4 t, 4 u, K), t x u tiles, from padded maps (b, 4 t + 2, 4 u + 2, C)."""
        b, t, u, k = len(out), out.shape[1] // 4, out.shape[2] // 4, out.shape[3]
        c = padded.shape[3]
        lines = padded.new_empty(6, b, t, 4 * u + 2, c)
        _transform_input([padded[:, i : i + 4 * t - 3 : 4] for i in range(6)], lines)
        tiles = padded.new_empty(6, 6, b, t, u, c)
        _transform_input([lines[:, :, :, j : j + 4 * u - 3 : 4] for j in range(6)], tiles.transpose(0, 1))
        products = torch.bmm(tiles.view(36, -1, c), self.kernels)
        products[7].add_(self.bias)  # of (1, 1), the one component that every output pixel takes once
        products = products.view(6, 6, b, t, u, k)
        lines = padded.new_empty(4, 6, b, t, u, k)
        _transform_output(products, lines)
        # (j, i, b, t, u, K): pixel (i, j) of each tile.
        pixels = out.unflatten(2, (u, 4)).unflatten(1, (t, 4)).permute(4, 2, 0, 1, 3, 5)
        _transform_output(lines.transpose(0, 1), pixels)


def _transform_input(d, out):
    """Bᵀ d along one direction, 6 → 6, factored so that each sum is taken once."""
    even, odd = d[4] - d[2], d[3] - d[1]
    torch.sub(d[0], d[2], out=out[0]).mul_(4).add_(even)
    torch.sub(d[5], d[3], out=out[5]).sub_(odd, alpha=4)
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    torch.sub(d[4], d[2], alpha=4, out=even)
    torch.sub(d[3], d[1], alpha=4, out=odd)
    torch.add(even, odd, out=out[1])
    torch.sub(even, odd, out=out[2])


def _transform_output(m, out):
    """Aᵀ m along one direction, 6 → 4."""
    near_sum, near_difference, far_sum, far_difference = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    torch.add(m[0], near_sum, out=out[0]).add_(far_sum)
    torch.add(near_difference, far_difference, alpha=2, out=out[1])
    torch.add(near_sum, far_sum, alpha=4, out=out[2])
    torch.add(near_difference, far_difference, alpha=8, out=out[3]).add_(m[5])
