"""Generators that the authors of Texture Networks published, as Torch7 files, made ours.

Their program normalises a joined branch of 16 to 40 channels by a layer that was made for 8. On a GPU
Torch7 reads on behind the 8 weights and biases, into the parameters of the layers that follow, and as it
trained them so, that is what the models are. Here a layer has all its channels, with what lies there in
the file. Statistics it has of 8 channels only, and sampling took those of the batch: so all of them are
taken anew, by `calibrate`.
"""

import importlib
import importlib.util

import numpy as np
import torch

from texalign.errors import InputError
from texalign.synthesis.generator import Architecture, Generator, batch_noise, take_statistics
from texalign.synthesis.sampling import pyramid_of

#: What to do where the package is missing.
INSTALL = "torchfile is not installed; run: pip install -r envs/torch7.txt"

#: Mean colours in RGB that VGG's images are measured from, of 255.
VGG_MEAN = (123.68, 116.779, 103.939)


def read(path):
    """Read a generator from a Torch7 file of the authors' repository.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Generator
        Without the statistics of its normalisation: see `calibrate`.

    Raises
    ------
    InputError
        torchfile is not installed, or the file is no such generator.
    """
    if importlib.util.find_spec("torchfile") is None:
        raise InputError(f"{path}: {INSTALL}")
    torchfile = importlib.import_module("torchfile")
    try:
        scales = _scales(torchfile.load(str(path)))
    except Exception as error:  # the reader fails in its own ways on what is no such file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: no generator of Texture Networks in Torch7's format ({reason}); "
            "give a file of github.com/DmitryUlyanov/texture_nets, branch texture_nets_v1, supplementary"
        ) from error
    return _generator(scales)


def _kind(module):
    return module.torch_typename().decode().rpartition(".")[2]


def _modules(module):
    return list(module[b"modules"] or [])


def _flat(module):
    """List the convolutions and normalisations of a chain in their order, others' chains opened."""
    if _kind(module) == "Sequential":
        return [found for part in _modules(module) for found in _flat(part)]
    return (
        [module] if _kind(module) in ("SpatialConvolution", "SpatialBatchNormalization", "LeakyReLU") else []
    )


def _scales(model):
    """From the finest: (input block with its norm, joined block, norm of what is coarser, last)."""
    modules = _modules(model)
    if _kind(modules[0]) != "Concat":  # the coarsest scale has nothing to join
        return [{"inputs": _flat(model)}]
    coarse, fine = _modules(modules[0])
    behind = [found for module in modules[1:] for found in _flat(module)]
    return [{"inputs": _flat(fine), "block": behind}, *_scales(coarse)]


def _generator(scales):
    finest = scales[0]
    first = finest["inputs"][0][b"weight"]
    slopes = {float(m[b"negval"]) for m in finest["block"] if _kind(m) == "LeakyReLU"}
    convolutions = [m for m in finest["inputs"] if _kind(m) == "SpatialConvolution"]
    architecture = Architecture(
        scales=len(scales),
        channels=int(first.shape[0]),
        noise_channels=3,
        content=first.shape[1] == 6,
        pointwise=len(convolutions) == 3,
        slope=slopes.pop(),
    )
    generator = Generator(architecture)
    with torch.no_grad():
        for scale, parts in enumerate(scales):
            coarsest = scale == len(scales) - 1
            inputs, block = parts["inputs"], parts.get("block", [])
            layers = _learned(inputs)
            first = generator.inputs[scale][0].weight
            # Behind the finest block is the convolution to colours, behind the others the norm of what is
            # enlarged; the coarsest has the latter behind its input block.
            ours = [m for m in generator.inputs[scale] if not isinstance(m, torch.nn.LeakyReLU)]
            _fill([*ours, generator.coarse_norms[-1] if coarsest else generator.input_norms[scale]], layers)
            if not coarsest:
                ours = [m for m in generator.blocks[scale] if not isinstance(m, torch.nn.LeakyReLU)]
                _fill(
                    [*ours, generator.coarse_norms[scale - 1] if scale else generator.last], _learned(block)
                )
            if architecture.content:  # theirs has the image before the noise
                first.copy_(first.roll(3, dims=1))
        _to_our_units(generator)
    return generator.eval()


def check_kind(generator, path, style):
    """Refuse a texture's generator where a style's is needed, and the other way round.

    Raises
    ------
    InputError
    """
    if generator.architecture.content != style:
        told = "a texture's, not a style's" if style else "a style's, not a texture's"
        section = "generator" if style else "transfer"
        raise InputError(f"{path}: this generator is {told}; name it under synthesis.{section}.published")


def calibrate(generator, contents=(), size=256, count=16):
    """Take the statistics of the normalisation from samples.

    Parameters
    ----------
    generator : Generator
        From `read`.
    contents : sequence of array, uint8, shape (H, W, 3)
        Images for a generator of a style, of any sizes: those that will be stylised serve best, as the
        authors' program took the statistics of the very image.
    size : int
        Pixels of a texture's samples.
    count : int
        Samples.

    Raises
    ------
    InputError
        A style has no images.
    """
    if not generator.architecture.content:
        take_statistics(generator, (size, size), count)
        return
    if not len(contents):
        raise InputError(
            "generator: a style's needs images to be calibrated on; set synthesis.transfer.contents"
        )
    step = generator.architecture.step
    # Statistics are means over samples of one size.
    side = min(min(image.shape[:2]) for image in contents) // step * step
    images = [
        pyramid_of(image[:side, :side], (side, side), generator.architecture.scales) for image in contents
    ]

    def inputs(count, seed, number):
        noise = batch_noise(generator.architecture, (side, side), count, seed, number)
        which = [(number + i) % len(images) for i in range(count)]
        levels = [torch.cat([images[i][scale] for i in which]) for scale in range(len(noise))]
        return [torch.cat(pair, dim=1) for pair in zip(noise, levels, strict=True)]

    take_statistics(generator, (side, side), count, inputs)


def _learned(modules):
    return [module for module in modules if _kind(module) != "LeakyReLU"]


def _fill(ours, theirs):
    for module, source in zip(ours, theirs, strict=True):
        for name in ("weight", "bias"):
            wanted = getattr(module, name)
            wanted.copy_(torch.from_numpy(_values(source[name.encode()], wanted.numel())).view_as(wanted))


def _values(tensor, count):
    """Read a tensor's values, and where it has fewer than are read, what lies behind it in its storage."""
    if tensor.size == count:
        return np.array(tensor, np.float32).ravel()
    storage = tensor
    while storage.base is not None:
        storage = storage.base
    where = tensor.__array_interface__["data"][0] - storage.__array_interface__["data"][0]
    start = where // storage.itemsize
    values = np.array(storage[start : start + count], np.float32)
    if len(values) != count:
        raise ValueError(f"{tensor.size} values where {count} are needed")
    return values


def _to_our_units(generator):
    """Let blue, green, red about VGG's mean of 255 come out as red, green, blue in [0, 1], as they go in."""
    mean = torch.tensor(VGG_MEAN)
    weight, bias = generator.last.weight.flip(0) / 255, (generator.last.bias.flip(0) + mean) / 255
    generator.last.weight.copy_(weight)
    generator.last.bias.copy_(bias)
