"""Style transfer by optimisation: one image's texture on another's content (Gatys et al., 2015b)."""

import hashlib
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from texalign.synthesis import matching
from texalign.synthesis.content import content_loss, content_maps
from texalign.synthesis.descent import Descent, Settings, run_in_lockstep
from texalign.synthesis.objective import Objective, of_layers, readable_layers


class StyleObjective(Objective):
    """The texture loss against a style, and the content loss against an image.

    Parameters
    ----------
    network, style, loss, readout, layers
        As `Objective`'s; `style` is its one exemplar.
    content : array or Tensor
        uint8 (H, W, 3), or float in [0, 1] (3, H, W).
    content_weight : float
        Factor alpha of the content loss.
    content_layer : str, optional
        See `content.content_maps`.
    """

    def __init__(
        self, network, style, content, loss="paper", content_weight=0.1, content_layer=None, **options
    ):
        super().__init__(network, [style], loss, **options)
        self.content = self.normalise(content)
        self.content_weight, self.content_layer = content_weight, content_layer
        with torch.no_grad():
            self.wanted = content_maps(self.network, self.content[None], content_layer)
        self.names = (*self.names, "content")

    def reduced(self, which, factor, names):
        """Make the objective of a smaller style and content, by some of the layers.

        Where the content's layer cannot be read of so small an image, the deepest that can holds it.
        """
        style, content = (functional.avg_pool2d(one, factor) for one in (self.exemplars[0], self.content))
        layer = self.content_layer
        if layer is not None and layer not in names:
            module = replace(self.network, layers={"content": self.network.layers.get(layer, layer)})
            layer = layer if readable_layers(module, tuple(content.shape[1:]), self.dtype) else None
            layer = self.network.layers.get(layer, layer)
        return StyleObjective(
            self.network,
            *(self.display(one).clamp(0, 1) for one in (style, content)),
            of_layers(self.loss, names),
            self.content_weight,
            layer,
            readout=self.readout,
            layers=names,
        )

    def distances(self, images, which):
        """Weighted loss of each name and image, shape (names, b); the last is the content's."""
        every, self.names = self.names, self.names[:-1]
        try:
            texture = super().distances(images, which)
        finally:
            self.names = every
        maps = content_maps(self.network, images, self.content_layer)
        content = self.content_weight * content_loss(maps, self.wanted.expand(len(images), -1, -1, -1))
        return torch.cat([texture, content[None].to(texture)])


def stylise(
    network,
    style,
    content,
    loss="paper",
    seed=0,
    *,
    content_weight=0.1,
    content_layer=None,
    readout=None,
    layers=None,
    checkpoint=None,
    code="",
    **settings,
):
    """Optimise an image that has a style's texture and another image's content.

    Parameters
    ----------
    network, loss, readout, layers, checkpoint, code, settings
        See `synthesis.synthesize`; it starts at the content, with balanced weights from coarse to fine, and
        at noise with ``start="noise"``.
    style, content : array or Tensor
        uint8 (H, W, 3), or float in [0, 1] (3, H, W). The image made is as large as the content.
    seed : int
        Of the noise.
    content_weight, content_layer
        See `StyleObjective`.

    Returns
    -------
    Synthesis
    """
    settings = Settings(**settings)
    objective = StyleObjective(
        network, style, content, loss, content_weight, content_layer, readout=readout, layers=layers
    )
    if settings.start is None and objective.loss.balanced:
        settings = replace(settings, start="coarse")
    size = tuple(objective.content.shape[1:])
    objective.check(size)
    initial = matching.initial_noise(objective, settings, seed, size)
    identity = matching.identity(objective, 0, seed, size) | {"method": "transfer", "code": code}
    pixels = objective.display(objective.content).cpu().numpy()
    identity |= {
        "content_sha256": hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest(),
        "content_weight": content_weight,
        "content_layer": content_layer,
    }
    begin = initial if settings.start == "noise" else objective.content
    descent = Descent(0, begin, objective, settings, identity, checkpoint)
    if settings.start == "coarse" and not descent.trace:
        matching.begin_coarse([descent], objective, [begin], [seed], settings, first=[begin])
    run_in_lockstep([descent], objective.evaluate)
    return matching.finish(descent, initial)
