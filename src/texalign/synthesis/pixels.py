"""What is compared of an image's pixels, without a network: neighbouring pixels, and colours.

A network that begins with a stride sees only some of the pixels at each of its positions, so that a
grain of one pixel costs its Gram matrices little; and the products of a Gram matrix do not hold which
colours there are. Both are cheap to compare: second moments of 3 x 3 patches, and sorted colours.
"""

import torch
from torch.nn import functional

#: Side of a patch.
SIDE = 3
#: Directions in the space of colours on which they are sorted, and their seed.
DIRECTIONS, SEED = 16, 0
#: Names of both, and their shares in units of a layer's.
SHARES = {"patches": 3.0, "colours": 1.0}


def patches(images):
    """Second moments of all patches, with their means: shape (b, 28, 28).

    Parameters
    ----------
    images : Tensor, shape (b, 3, H, W)
        In any units; H and W at least 3.
    """
    rows = functional.unfold(images, SIDE)
    rows = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
    return rows @ rows.mT / rows.shape[2]


def colours(images):
    """Colours as sorted projections on fixed directions, shape (b, 16, H W)."""
    generator = torch.Generator().manual_seed(SEED)
    directions = functional.normalize(torch.randn(DIRECTIONS, 3, generator=generator), dim=1)
    return (directions.to(images) @ images.flatten(2)).sort(dim=2).values


def describe(name, images):
    """Statistics of images under a name of `SHARES`, whose first axis is the image."""
    return {"patches": patches, "colours": colours}[name](images)


def distance(name, images, target):
    """Mean square difference of each image's statistics from its target's, shape (b,); differentiable.

    Images may be of another size than those that the target is of: quantiles are interpolated.
    """
    ours = describe(name, images)
    if name == "colours" and ours.shape[2] != target.shape[2]:
        target = functional.interpolate(target, ours.shape[2], mode="linear", align_corners=True)
    return (ours - target).square().mean(dim=(1, 2))
