"""The texture loss of an image against its exemplar, and its gradient."""

import hashlib
import logging
import math
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from texalign import readout as readouts
from texalign.errors import InputError
from texalign.synthesis import balance, losses, pixels

log = logging.getLogger(__name__)


class Objective:
    """Texture losses of images against exemplars, and their gradients.

    Parameters
    ----------
    network, loss, readout, layers
        See `synthesize`.
    exemplars : sequence of arrays or Tensors
        All of one size.
    weights : sequence of dict, optional
        Of each exemplar's terms, as `balance.weights` gives them, where those of another objective are to
        be kept. Without them balanced weights are taken from the exemplars.

    A term is what is compared of one layer at one scale, or of the pixels. The loss has a value for each
    name in `names`: the layers, and behind them what is compared of the pixels.
    """

    def __init__(self, network, exemplars, loss="paper", readout=None, layers=None, weights=None):
        self.loss = losses.get(loss)
        self.network = choose_layers(network, layers)
        self.readout = readout or self.loss.readout
        if self.readout not in readouts.READOUTS:
            raise InputError(
                f"readout: {readout!r} is not allowed; use one of {', '.join(readouts.READOUTS)}"
            )
        _check_names("layer_weights", self.loss.weights, self.network.layers)
        if not any(map(self.loss.weight, self.network.layers)) and not self.loss.pixels:
            raise InputError("layer_weights: no layer has a weight above 0; give one to a layer at least")
        self.dtype = next(network.module.parameters()).dtype
        exemplars = [self.normalise(exemplar) for exemplar in exemplars]
        if len({exemplar.shape for exemplar in exemplars}) != 1:
            sizes = ", ".join(sorted({f"{height}x{width}" for _, height, width in map(np.shape, exemplars)}))
            raise InputError(
                f"exemplars: those made together must have one size, not {sizes} px; "
                "resize them, or list them apart"
            )
        self.exemplars = torch.stack(exemplars)
        if (self.exemplars.amax((2, 3)) == self.exemplars.amin((2, 3))).all(1).any():
            raise InputError("exemplar: the image is constant, it has no texture; give another")
        self.shapes = self.check(tuple(self.exemplars.shape[2:]))
        readouts.layer_shapes(self.network, tuple(self.exemplars.shape[2:]), self.dtype)
        self.draws, self.most = [0] * len(exemplars), len(exemplars)
        self.names = names_of(self.network, self.loss)
        self._reading, self._larger = {}, {}
        self.targets = [self._describe(index) for index in range(len(exemplars))]
        self.weights = weights
        if self.loss.balanced and weights is None:
            self.weights = [balance.weights(self, exemplar) for exemplar in self.exemplars]

    def reduced(self, which, factor, names):
        """Make the objective of smaller images of some of the exemplars, by some of the layers."""
        small = functional.avg_pool2d(self.exemplars[list(which)], factor)
        exemplars = [self.display(one).clamp(0, 1) for one in small]
        return Objective(self.network, exemplars, of_layers(self.loss, names), self.readout, names)

    @property
    def image_dtype(self):
        """The type of the optimised image: float32 also where the network computes in less."""
        return torch.float64 if self.dtype == torch.float64 else torch.float32

    def named(self, values):
        """Losses of the layers → ``loss``, their sum, and each under its layer's name."""
        return {"loss": sum(values), **dict(zip(self.names, values, strict=True))}

    def identity(self, index):
        """Collect what a loss depends on, as plain values: network, read-out, loss and exemplar."""
        network = self.network
        exemplar = self.exemplars[index].cpu().numpy()
        return {
            "architecture": network.architecture,
            "changes": list(network.changes),
            "weights": network.weights,
            "weights_sha256": network.weights_sha256,
            "layers": dict(network.layers),
            "readout": self.readout,
            "precision": network.precision,
            "loss_function": self.loss.options,
            "exemplar_sha256": hashlib.sha256(exemplar.tobytes()).hexdigest(),
        }

    def plain_weights(self, index):
        """Weights of an exemplar's terms as plain values: of each name, a list by scale; None without."""
        if self.weights is None:
            return None
        plain = {name: [] for name in self.names}
        for (name, _scale), weight in sorted(self.weights[index].items()):
            plain[name].append(weight)
        return plain

    def mean_std(self):
        """Mean and standard deviation of the network's preprocessing, shape (3, 1, 1) each."""
        values = torch.tensor([self.network.mean, self.network.std], dtype=torch.float64)
        return values.to(self.image_dtype).to(self.network.device).view(2, 3, 1, 1)

    def normalise(self, image):
        """Image as uint8 (H, W, 3) or float in [0, 1] (3, H, W) → normalised units, (3, H, W)."""
        if isinstance(image, np.ndarray):
            image = torch.from_numpy(np.array(image))  # a copy: decoders give read-only arrays
        if image.dtype == torch.uint8 and image.ndim == 3:
            image = image.permute(2, 0, 1).to(self.image_dtype) / 255
        if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
            raise InputError(
                f"image: {image.dtype} of shape {tuple(image.shape)}; give uint8 (H, W, 3) or float (3, H, W)"
            )
        mean, std = self.mean_std()
        return (image.to(mean) - mean) / std

    def display(self, image):
        """Inverse of `normalise`, to float (3, H, W); nothing is cut off."""
        mean, std = self.mean_std()
        return image * std + mean

    def check(self, size):
        """Height and width of each layer's maps for images of `size`.

        Raises
        ------
        InputError
            The network cannot take such small images, or a layer has one position only.
        """
        shapes = {}
        image = torch.zeros((1, 3, *size), device=self.network.device, dtype=self.dtype)
        what = f"{size[0]}x{size[1]} px"
        try:
            with torch.no_grad():
                readouts.read(
                    self.network, image, lambda layer, maps: shapes.update({layer: tuple(maps.shape[2:])})
                )
        except (InputError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise readouts.cannot_take(self.network, image, error, "synthesis: size") from error
        for layer, (height, width) in shapes.items():
            if height * width < 2:
                raise InputError(
                    f"layers: {layer} ({self.network.layers[layer]}) has 1 position at {what}, "
                    "so no spatial statistics; use a larger image, or drop the layer"
                )
        return shapes

    def visit_terms(self, images, visit, draw=0):
        """Call ``visit(key, maps, describe, distance)`` for each term of the loss.

        `key` is its name and scale. `maps` are what it is taken of: a layer's maps, or the images.
        ``describe(maps)`` gives statistics, a tuple of tensors, and ``distance(maps, target, shape)`` the
        loss without its weight, where `shape` is that of the maps that the target is of.
        """
        for scale in range(self.loss.scales):
            if scale:
                if min(images.shape[2:]) < 2:
                    break
                images = functional.avg_pool2d(images, 2)
            network = self.network if scale == 0 else self._readable(images)
            if network is not None:

                def read(layer, maps, scale=scale):
                    loss = self.loss
                    maps = _at_least_float32(maps)
                    describe, distance = (
                        lambda maps: loss.describe(layer, maps, draw),
                        lambda maps, target, shape: loss.distance(layer, maps, target, shape),
                    )
                    visit((layer, scale), maps, describe, distance)

                readouts.read(network, self._input(images), read, self.readout)
            for name in pixels.SHARES if self.loss.pixels else ():
                if min(images.shape[2:]) >= 2 * pixels.SIDE and (scale == 0 or name != "colours"):
                    visit(
                        (name, scale),
                        images,
                        lambda maps, name=name: (pixels.describe(name, maps),),
                        lambda maps, target, shape, name=name: pixels.distance(name, maps, *target),
                    )

    def _readable(self, images):
        """Choose the layers that can be read of such small images; None where there is none."""
        size = tuple(images.shape[2:])
        if size not in self._reading:
            names = readable_layers(self.network, size, self.dtype)
            self._reading[size] = choose_layers(self.network, names) if names else None
        return self._reading[size]

    def targets_for(self, size):
        """Statistics of all exemplars that images of a size are held against: see `describe`."""
        if all(side <= ours for side, ours in zip(size, self.exemplars.shape[2:], strict=True)):
            return self.targets
        if size not in self._larger:
            self._larger[size] = [self._describe(index, size) for index in range(len(self.targets))]
        return self._larger[size]

    def _describe(self, index, size=None):
        return self.describe(self.exemplars[index], self.draws[index], size)

    def describe(self, exemplar, draw=0, size=None):
        """Statistics of an exemplar's terms, each with the shape of the maps that it is of.

        Networks pad their maps, so that statistics also hold how much of an image is border. For an image
        that is to be larger, `size`, copies of the exemplar are put side by side: the statistics of one
        would ask for borders within the image, which are speckles. (Mirrored, oblique stripes become a
        herringbone.)
        """
        statistics = {}
        if size is not None:
            exemplar = tiled(exemplar, size)

        def visit(key, maps, describe, distance):
            statistics[key] = (describe(maps), tuple(maps.shape[2:]))

        with torch.no_grad():
            self.visit_terms(exemplar[None], visit, draw)
        return statistics

    def _input(self, images):
        # The image itself stays NCHW: gradients in channels-last layout break torch.optim.LBFGS.
        return images.to(self.dtype, memory_format=torch.channels_last)

    def distances(self, images, which):
        """Weighted loss of each layer and image, shape (layers, b).

        Parameters
        ----------
        images : Tensor, shape (b, 3, H, W)
            In normalised units.
        which : sequence of int
            Each image's exemplar.
        """
        terms, which = {}, list(which)
        known = self.targets_for(tuple(images.shape[2:]))

        def visit(key, maps, describe, distance):
            if key in known[0]:
                targets = [known[index][key][0] for index in which]
                target = (
                    targets[0] if len(targets) == 1 else tuple(map(torch.cat, zip(*targets, strict=True)))
                )
                terms[key] = distance(maps, target, known[0][key][1])

        self.visit_terms(images, visit)
        return torch.stack([self._weighted(name, terms, which) for name in self.names])

    def _weighted(self, name, terms, which):
        """Sum of a name's terms with their weights, shape (b,)."""
        terms = {key: value for key, value in terms.items() if key[0] == name}
        if not terms:  # too small an image for it
            return torch.zeros(len(which), device=self.network.device, dtype=self.image_dtype)
        if self.weights is None:
            of_pixels = name in pixels.SHARES
            factor = balance.share(self.loss, name) if of_pixels else self.loss.weight(name)
            return factor * sum(terms.values())
        # An image that is too small for a scale has fewer terms, which then stand for all.
        known = [key for key in self.weights[which[0]] if key[0] == name]
        factor = len(known) / len(terms)
        return factor * sum(
            value * torch.tensor([self.weights[index].get(key, 0.0) for index in which]).to(value)
            for key, value in terms.items()
        )

    def loss_of(self, image, index):
        """Loss of an image, float in [0, 1] (3, H, W), against one of the exemplars."""
        with torch.no_grad():
            return self.distances(self.normalise(image)[None], [index]).sum().item()

    def evaluate(self, requests):
        """Losses and gradients of several images, in as few passes as the memory allows.

        Parameters
        ----------
        requests : list of (int, Tensor, int)
            Number of the exemplar, image (3, H, W) in normalised units, number of the random draw.

        Returns
        -------
        list of (list of float, Tensor)
            Loss of each layer, NaN where the gradient is not finite, and the gradient (3, H, W).
        """
        answers = []
        while len(answers) < len(requests):
            part = requests[len(answers) :][: self.most]
            try:
                answers += self._evaluate(part)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self.most = len(part) // 2
                torch.cuda.empty_cache()
                log.info("the memory is full; going on with %d images at a time", self.most)
        return answers

    def _evaluate(self, requests):
        which, images, draws = zip(*requests, strict=True)
        for index, draw in zip(which, draws, strict=True):
            if self.draws[index] != draw:
                self.draws[index] = draw
                self.targets[index] = self._describe(index)
                self._larger.clear()
        with torch.enable_grad():
            images = torch.stack(images).requires_grad_()
            values = self.distances(images, which)
            (gradients,) = torch.autograd.grad(values.sum(), images)
        gradients = gradients.contiguous()
        usable = gradients.flatten(1).isfinite().all(1)
        values = torch.where(usable, values.detach(), math.nan).T.tolist()
        return list(zip(values, gradients, strict=True))


def tiled(image, size):
    """Put copies of an image (3, H, W) beside and below it, up to where `size` is larger; cut there."""
    for axis, side in enumerate(size, start=1):
        length = image.shape[axis]
        places = torch.arange(max(side, length), device=image.device) % length
        image = image.index_select(axis, places)
    return image


def names_of(network, loss):
    """Name the terms of a loss: the layers, and behind them what is compared of the pixels."""
    return (*network.layers, *(pixels.SHARES if loss.pixels else ()))


def of_layers(loss, names):
    """Take the weights of some layers only."""
    weights = {name: weight for name, weight in loss.weights.items() if name in names}
    return replace(loss, layer_weights=weights) if loss.weights else loss


def _at_least_float32(maps):
    return maps.float() if maps.dtype in (torch.bfloat16, torch.float16) else maps


def readable_layers(network, size, dtype=torch.float32):
    """List the layers, from the first on, that a network gives for a size with 4 positions at least.

    Parameters
    ----------
    network : networks.Network
    size : (int, int)
        Height and width in pixels.
    dtype : torch.dtype
        Of the network's input.
    """
    names = list(network.layers)
    image = torch.zeros((1, 3, *size), device=network.device, dtype=dtype)
    for end in range(len(names), 0, -1):
        positions = []
        try:
            with torch.no_grad():
                readouts.read(
                    choose_layers(network, names[:end]),
                    image,
                    lambda layer, maps, found=positions: found.append(maps[0, 0].numel()),
                )
        except torch.OutOfMemoryError:
            raise
        except Exception:
            continue
        if min(positions) >= 4:
            return names[:end]
    return []


def choose_layers(network, layers):
    """Return a network that reads some of its layers, in its own order; all where `layers` is None.

    Raises
    ------
    InputError
        A name is no layer of the network.
    """
    if layers is None:
        return network
    _check_names("layers", layers, network.layers)
    return replace(network, layers={name: network.layers[name] for name in network.layers if name in layers})


def _check_names(key, names, known):
    for name in names:
        if name not in known:
            raise InputError(f"{key}: {name!r} is no layer of this network; allowed: {', '.join(known)}")
