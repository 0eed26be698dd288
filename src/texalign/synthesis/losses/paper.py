"""The Gram loss of the misalignment paper."""

from texalign.gram import algebra
from texalign.synthesis.losses.common import Loss, gram_distance


class Paper(Loss):
    """Gram loss of the misalignment paper (Eq. 2): Σ_l 1/(4 M_l N_l²) Σ_ij (G_ij − Ĝ_ij)².

    The Appendix (9.1) derives the weight as one over the loss to be expected of two unrelated images
    with independent standard normal features. It writes F_i F_j = (X² − Y²)/2 with X and Y standard
    normal, and gives this half difference the variance 2. But (Var X² + Var Y²)/4 = 1: the variance
    of F_i F_j is 1 for i ≠ j, and 2 only on the diagonal, where it is that of F_i². A Gram entry
    sums M of them and the difference of two independent Gram matrices doubles the variance, so that

        E[L] = 2M · N(N − 1) + 4M · N = 2 M N (N + 1),   and not 4 M N².

    The weight thus gives a layer (N + 1)/(2N) instead of 1: 0.516 at N = 32 and 0.500 at N = 2048.
    The layers' weights relative to each other are hardly touched, and the paper's is kept.

    Where the image has another size than the exemplar, M is the image's, and the exemplar's Gram
    matrix is scaled by the ratio of the positions.
    """

    def describe(self, layer, maps, draw=0):
        """Gram matrix per position, shape (b, N, N)."""
        return (algebra.gram_matrices(maps) / maps[0, 0].numel(),)

    def distance(self, layer, maps, target, shape):
        """Squared Frobenius distance of the Gram matrices over 4 M N²."""
        n, m = maps.shape[1], maps[0, 0].numel()
        return gram_distance(maps, *target) * (m / (4 * n**2))
