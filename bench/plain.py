"""The usual way of doing each step: honest code of the benchmark, no part of the product."""

import warnings

import h5py
import numpy as np
import torch
from PIL import Image
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import pairwise_distances

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


@torch.no_grad()
def gram_matrices(module, layers, images, batch=8):
    """Full forward pass, hooks that keep the maps, Gram matrices by einsum: {layer: (n, N, N)}."""
    maps, grams = {}, {name: [] for name in layers}
    hooks = [
        module.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: maps.update({name: out.clone()})
        )
        for name in layers
    ]
    for first in range(0, len(images), batch):
        part = torch.from_numpy(images[first : first + batch]).permute(0, 3, 1, 2).contiguous().float() / 255
        module(((part - MEAN) / STD).to(next(module.parameters()).device))
        for name in layers:
            features = maps[name].flatten(2)
            grams[name].append(torch.einsum("bim,bjm->bij", features, features))
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(parts).cpu().numpy() for name, parts in grams.items()}


def decode(paths, size):
    """Open, convert and resize every photograph, as each network's job would."""
    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((size, size), 2)) for path in paths])


def store(path, grams):
    """One compressed dataset an image and layer."""
    with h5py.File(path, "w") as file:
        for layer, squares in grams.items():
            for i, square in enumerate(squares):
                file.create_dataset(f"{layer}/{i}", data=square, compression="gzip", compression_opts=6)


def rdm(squares):
    """scikit-learn's distances of the stacked matrices: (n, n)."""
    return pairwise_distances(squares.reshape(len(squares), -1))


def clusters(features, ks):
    """One fit for every number of clusters, on rows as features."""
    warnings.filterwarnings("ignore", message=".*suspiciously like an uncondensed")
    return {k: AgglomerativeClustering(k, linkage="ward").fit_predict(features) for k in ks}


def closure(module, layers, weights, targets, image):
    """Loss and gradient of a Gram loss, hooks on a full forward pass."""
    maps = {}
    hooks = [
        module.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: maps.update({name: out.clone()})
        )
        for name in layers
    ]
    image = image.detach().requires_grad_()
    module(image)
    loss = 0
    for name in layers:
        features = maps[name].flatten(2)
        gram = torch.einsum("bim,bjm->bij", features, features)
        loss = loss + weights[name] * (gram - targets[name]).square().sum()
    loss.backward()
    for hook in hooks:
        hook.remove()
    return float(loss.detach()), image.grad
