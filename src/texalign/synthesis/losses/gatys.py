"""The Gram loss of Gatys et al. (2015)."""

from texalign.synthesis.losses.common import gram_distance
from texalign.synthesis.losses.paper import Paper


class Gatys(Paper):
    """Gram loss of Gatys et al. (2015, Eqs. 2-3): Σ_l w_l 1/(4 N_l² M_l²) Σ_ij (G_ij − T_ij)².

    Meant for rectified feature maps of the network that `synthesis.gatys_network.prepare` makes.
    """

    readout = "relu"

    def distance(self, layer, maps, target, shape):
        """Squared Frobenius distance of the Gram matrices over 4 N² M²."""
        return gram_distance(maps, *target) / (4 * maps.shape[1] ** 2)
