"""The mean and standard deviation of every feature map."""

import torch

from texalign.synthesis.losses.common import Loss


class MeanStd(Loss):
    """Mean and standard deviation of every feature map: what adaptive instance normalisation matches."""

    def describe(self, layer, maps, draw=0):
        """Means and standard deviations, shape (b, 2, N)."""
        variance, mean = torch.var_mean(maps, dim=(2, 3), correction=0)
        # The small number keeps the root's gradient finite where a rectified map is zero everywhere.
        return (torch.stack([mean, (variance + 1e-12).sqrt()], dim=1),)

    def distance(self, layer, maps, target, shape):
        """Squared differences, averaged over the channels."""
        return (self.describe(layer, maps)[0] - target[0]).square().sum(1).mean(1)
