"""Compiled transforms of a Winograd convolution, each tile in the processor's nearest cache.

Seven points, 0, 1, -1, 2, -2, 1/2 and infinity, serve tiles of 5 x 5 pixels with 3 x 3 kernels as well
as tiles of 3 x 3 pixels with 5 x 5 kernels. As operations on whole tensors these transforms would
read and write memory a dozen times; here it is once. Arrays are flat, the channels innermost, and
offsets unsigned: then the compiler makes vector instructions of the innermost loops.

Source: Lavin & Gray (2016), Fast algorithms for convolutional neural networks, CVPR, sections 4.1-4.3;
the matrices by Cook and Toom's construction (their section 5.1's `wincnn`).
"""

import numpy as np
from numba import njit

#: Pixels on a side of an input tile, and components on a side of a transformed one.
SIDE = 7

#: Channels taken through both directions of a transform at a time: 29 kB, within the first cache.
CHANNELS = 128

# Constants as float32: a Python number would turn the sums into float64.
HALF, QUARTER, EIGHTH = np.float32(1 / 2), np.float32(1 / 4), np.float32(1 / 8)
TWO, FOUR, FIVE, EIGHT, SIXTEEN = (np.float32(x) for x in (2, 4, 5, 8, 16))
SIXTEENTH, ZERO = np.float32(1 / 16), np.float32(0)


def compiled(function, inline="never"):
    """Make machine code of `function`, kept on disk for the next process where a place is found for it."""
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy", "inline": inline}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:  # neither the folder of this file nor the user's cache can be written
        return njit(function, **options)


def _input_line(x, i, step, y, o, ostep, n):
    """Bᵀ along one direction, 7 → 7, for n channels from x[i] to y[o]."""
    two = np.uintp(2)
    for c in range(n):
        d1, d2, d3 = x[i + step + c], x[i + two * step + c], x[i + np.uintp(3) * step + c]
        d4, d5 = x[i + np.uintp(4) * step + c], x[i + np.uintp(5) * step + c]
        # All points but 1/2 see differences that are zero there.
        e0, e1, e2 = d1 - HALF * x[i + c], d2 - HALF * d1, d3 - HALF * d2
        e3, e4, e5 = d4 - HALF * d3, d5 - HALF * d4, x[i + np.uintp(6) * step + c] - HALF * d5
        a, b = e4 - FOUR * e2, e3 - FOUR * e1
        p, q = e4 - e2, TWO * (e3 - e1)
        y[o + c] = FOUR * (e0 - e2) + p
        y[o + ostep + c] = a + b
        y[o + two * ostep + c] = a - b
        y[o + np.uintp(3) * ostep + c] = p + q
        y[o + np.uintp(4) * ostep + c] = p - q
        y[o + np.uintp(5) * ostep + c] = FOUR * d1 - FIVE * d3 + d5
        y[o + np.uintp(6) * ostep + c] = FOUR * e1 - FIVE * e3 + e5


def _output_line(x, i, step, y, o, ostep, n, pixels):
    """Aᵀ along one direction, 7 → 5 or 3 pixels, for n channels from x[i] to y[o]."""
    two = np.uintp(2)
    for c in range(n):
        m1, m2, m3 = x[i + step + c], x[i + two * step + c], x[i + np.uintp(3) * step + c]
        m4, h = x[i + np.uintp(4) * step + c], x[i + np.uintp(5) * step + c]
        m6 = x[i + np.uintp(6) * step + c]
        a, b, p, q = m1 + m2, m1 - m2, m3 + m4, m3 - m4
        y[o + c] = x[i + c] + a + p + h
        y[o + ostep + c] = b + TWO * q + HALF * h
        third = a + FOUR * p + QUARTER * h
        if pixels == 3:
            y[o + two * ostep + c] = third + m6
        else:
            y[o + two * ostep + c] = third
            y[o + np.uintp(3) * ostep + c] = b + EIGHT * q + EIGHTH * h
            y[o + np.uintp(4) * ostep + c] = a + SIXTEEN * p + SIXTEENTH * h + m6


def _place(tile, rows, columns):
    """Image, row and column of a tile."""
    return tile // (rows * columns), tile // columns % rows, tile % columns


place = compiled(_place, "always")
input_line, output_line = compiled(_input_line, "always"), compiled(_output_line, "always")


def _transform_input(maps, first, pad_y, pad_x, pixels, rows, columns, tiles):
    """Fill `tiles` (n, 49, C) with the components of n input tiles, from number `first` on.

    Parameters
    ----------
    maps : array, shape (b, H, W, C)
    first, pad_y, pad_x : int
        The first tile, counted along columns, rows and images; pixels of zero padding.
    pixels : int
        Side of an output tile: 5 for 3 x 3 kernels, 3 for 5 x 5.
    rows, columns : int
        Tiles of an image.
    """
    _, height, width, channels = maps.shape
    source, target = maps.reshape(-1), tiles.reshape(-1)
    scratch = np.zeros((SIDE**2 + SIDE) * CHANNELS, np.float32)
    border, line_step, pixel_step = SIDE**2 * CHANNELS, np.uintp(SIDE * CHANNELS), np.uintp(CHANNELS)
    for t in range(len(tiles)):
        b, row, column = place(first + t, rows, columns)
        top, left = row * pixels - pad_y, column * pixels - pad_x
        inside = top >= 0 and left >= 0 and top + SIDE <= height and left + SIDE <= width
        for start in range(0, channels, CHANNELS):
            n = np.uintp(min(CHANNELS, channels - start))
            for j in range(SIDE):
                x = left + j
                i = ((b * height + top) * width + x) * channels + start
                o = np.uintp(j * CHANNELS)
                if inside:
                    input_line(source, np.uintp(i), np.uintp(width * channels), scratch, o, line_step, n)
                    continue
                for k in range(SIDE):
                    q = np.uintp(border + k * CHANNELS)
                    beyond = not (0 <= top + k < height and 0 <= x < width)
                    p = np.uintp(0 if beyond else i + k * width * channels)
                    for c in range(n):
                        scratch[q + c] = ZERO if beyond else source[p + c]
                input_line(scratch, np.uintp(border), pixel_step, scratch, o, line_step, n)
            for i in range(SIDE):
                o = np.uintp((t * SIDE**2 + i * SIDE) * channels + start)
                q = np.uintp(i * SIDE * CHANNELS)
                input_line(scratch, q, pixel_step, target, o, np.uintp(channels), n)


def _transform_output(products, first, pixels, rows, columns, bias, out):
    """Pixels of n output tiles from their components `products` (n, 49, K), plus `bias` (K,), into `out`.

    `out` has shape (b, H', W', K); what of a tile lies beyond it is left out. Other parameters are
    those of `transform_input`.
    """
    _, height, width, channels = out.shape
    source, target = products.reshape(-1), out.reshape(-1)
    scratch = np.zeros((SIDE**2 + SIDE) * CHANNELS, np.float32)
    line, line_step = np.uintp(SIDE**2 * CHANNELS), np.uintp(SIDE * CHANNELS)
    pixel_step = np.uintp(CHANNELS)
    for t in range(len(products)):
        b, row, column = place(first + t, rows, columns)
        top, left = row * pixels, column * pixels
        for start in range(0, channels, CHANNELS):
            n, k = np.uintp(min(CHANNELS, channels - start)), np.uintp(start)
            for j in range(SIDE):
                i, o = np.uintp((t * SIDE**2 + j) * channels + start), np.uintp(j * CHANNELS)
                output_line(source, i, np.uintp(SIDE * channels), scratch, o, line_step, n, pixels)
            for i in range(min(pixels, height - top)):
                q = np.uintp(i * SIDE * CHANNELS)
                output_line(scratch, q, pixel_step, scratch, line, pixel_step, n, pixels)
                for j in range(min(pixels, width - left)):
                    o = np.uintp(((b * height + top + i) * width + left + j) * channels + start)
                    q = line + np.uintp(j * CHANNELS)
                    for c in range(n):
                        target[o + c] = scratch[q + c] + bias[k + c]


transform_input, transform_output = compiled(_transform_input), compiled(_transform_output)
