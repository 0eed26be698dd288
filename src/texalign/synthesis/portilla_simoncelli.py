"""Texture statistics of Portilla and Simoncelli (2000), by the optional package plenoptic: no CNN.

They are statistics of grey values: correlations of a steerable pyramid's coefficients and of their
magnitudes. So an image is converted to luminance first.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import io
import logging
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from texalign import checkpoint
from texalign.errors import InputError
from texalign.version import __version__

log = logging.getLogger(__name__)

#: Scales of the pyramid at most; fewer where an image is too small for so many.
SCALES = 4
#: Side of the neighbourhood whose autocorrelation is taken: the coarsest scale must be as large.
NEIGHBOURHOOD = 7
#: Steps of L-BFGS in one turn of the package.
STEPS = 10
#: ITU-R 601, as Pillow converts to grey.
LUMINANCE = (0.299, 0.587, 0.114)

#: What to do where the package is missing.
INSTALL = "plenoptic is not installed; run: pip install -r envs/plenoptic.txt, or use --sdm conda"


def is_available():
    """Tell whether plenoptic is installed."""
    return importlib.util.find_spec("plenoptic") is not None


def versions():
    """Versions of what the numbers depend on."""
    packages = ("plenoptic", "torch", "numpy")
    return {"texalign": __version__} | {name: metadata.version(name) for name in packages}


def _plenoptic():
    if not is_available():
        raise InputError(f"portilla_simoncelli: {INSTALL}")
    return importlib.import_module("plenoptic")


def grey(image):
    """Luminance of an image, uint8 (H, W, 3) → float64 (1, 1, H', W') in [0, 1].

    What the coarsest scale cannot divide is cut off at the right and at the bottom, up to 15 pixels.
    """
    values = np.asarray(image, dtype=np.float64) @ LUMINANCE / 255
    step = 2 ** _scales(values.shape)
    height, width = (side // step * step for side in values.shape)
    return torch.from_numpy(values[:height, :width].copy())[None, None]


def _scales(shape):
    for scales in range(SCALES, 0, -1):
        if min(shape) >> scales >= NEIGHBOURHOOD:
            return scales
    raise InputError(
        f"portilla_simoncelli: {shape[0]}x{shape[1]} px is too small; at least {2 * NEIGHBOURHOOD} are needed"
    )


def _model(target):
    """Build the statistics and their distance to those of a target."""
    plenoptic = _plenoptic()
    shape = tuple(target.shape[2:])
    model = plenoptic.models.PortillaSimoncelli(shape, _scales(shape)).to(target.dtype)
    plenoptic.remove_grad(model)
    return model.eval(), plenoptic.loss.portilla_simoncelli_loss_factory(model, target)


def statistics(images):
    """Compute the statistics of images, as rows.

    Parameters
    ----------
    images : array, uint8, shape (b, H, W, 3)

    Returns
    -------
    array, float64, shape (b, D)
        In plenoptic's order, extreme grey values included. 0 for what an image does not define: a correlation
        with a band of the pyramid in which it has nothing, as one of even stripes in all but one orientation.

    Raises
    ------
    InputError
        plenoptic is not installed, or the images are too small.
    """
    plenoptic, batch = _plenoptic(), torch.cat([grey(image) for image in images])
    shape = tuple(batch.shape[2:])
    model = plenoptic.models.PortillaSimoncelli(shape, _scales(shape)).to(batch.dtype).eval()
    with torch.no_grad():
        return np.nan_to_num(model(batch).flatten(1).numpy(), nan=0)


def distances(exemplar, images):
    """Distance of each image's statistics to the exemplar's.

    Euclidean, as plenoptic weighs the statistics for a synthesis: without the extreme grey values,
    and with the variance of the highest frequencies 100 times.

    Parameters
    ----------
    exemplar : array, uint8, shape (H, W, 3)
    images : sequence of arrays
        Of the same size.

    Returns
    -------
    list of float

    Raises
    ------
    InputError
        plenoptic is not installed, or an image is too small or of another size.
    """
    target = grey(exemplar)
    model, distance = _model(target)
    with torch.no_grad():
        wanted = model(target)
        return [distance(model(_like(grey(image), target)), wanted).item() for image in images]


def _like(image, target):
    if image.shape != target.shape:
        raise InputError(
            "portilla_simoncelli: images of the exemplar's size only; set synthesis.output_size: null"
        )
    return image


def synthesize(exemplar, seed=0, iterations=100, *, path=None, checkpoint_every=25, code=""):
    """Synthesise a grey image with an exemplar's statistics: the baseline without a CNN.

    Parameters
    ----------
    exemplar : array, uint8, shape (H, W, 3)
    seed : int
        Of the initial image: the exemplar's mean with noise of 0.1 at most, as plenoptic advises.
    iterations : int
        Steps of L-BFGS, in turns of 10.
    path : str or Path, optional
        Where to keep the state, a checkpoint. If it is there already and was made with the same
        exemplar, seed, versions and program, the run goes on from it, and ends with the same bits. The
        caller deletes it when the result is safe.
    checkpoint_every : int
        Steps between checkpoints, in whole turns.
    code : str, optional
        Hash of the program, where the caller knows it: a checkpoint of another is not gone on with.

    Returns
    -------
    image : Tensor, shape (3, H', W')
        In [0, 1], float32; three times the same channel.
    trace : list of dict
        step, evaluations (not told by the package: NaN), seconds (NaN), loss, note.

    Raises
    ------
    InputError
        plenoptic is not installed, or the exemplar is too small or constant.
    """
    plenoptic, target = _plenoptic(), grey(exemplar)
    if target.amax() == target.amin():
        raise InputError("exemplar: the image is constant, it has no texture; give another")
    model, distance = _model(target)
    turn = min(STEPS, max(iterations, 1))
    turns, saved_every = max(1, iterations // turn), max(1, checkpoint_every // turn)
    pixels = hashlib.sha256(np.ascontiguousarray(exemplar).tobytes()).hexdigest()
    identity = {"method": "statistics", "exemplar_sha256": pixels, "seed": seed, "turn": turn}
    identity |= {"versions": versions(), "code": code}
    metamer = _loaded(path, identity, lambda: plenoptic.Metamer(target, model, loss_function=distance))
    if metamer is None:
        metamer = plenoptic.Metamer(target, model, loss_function=distance)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.rand(target.shape, generator=generator, dtype=target.dtype) - 0.5
        metamer.setup(
            noise * 0.1 + target.mean(),
            optimizer=torch.optim.LBFGS,
            optimizer_kwargs={
                "max_iter": turn,
                "history_size": 100,
                "lr": 1,
                "line_search_fn": "strong_wolfe",
            },
        )
    while (done := len(metamer.losses) - 1) < turns:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars would fill the log
            metamer.synthesize(max_iter=min(saved_every, turns - done), stop_criterion=0)
        if path:
            _save(path, identity, metamer)
    trace = [
        {"step": i * turn, "evaluations": np.nan, "seconds": np.nan, "loss": float(loss), "note": ""}
        for i, loss in enumerate(metamer.losses)
    ]
    image = metamer.metamer.detach()[0].clamp(0, 1).float()
    return image.expand(3, -1, -1), trace


def _save(path, identity, metamer):
    """Keep a metamer, which the package writes to files only."""
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        metamer.save(file.name)
        state = np.frombuffer(Path(file.name).read_bytes(), np.uint8)
    checkpoint.save(path, identity, {"metamer": torch.from_numpy(state.copy())})


def _loaded(path, identity, new):
    """Return a metamer that goes on from a checkpoint; None where there is none that fits."""
    state = checkpoint.load(path, identity)
    if state is None:
        return None
    metamer = new()
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        Path(file.name).write_bytes(state["metamer"].numpy().tobytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that `setup` has to follow
            metamer.load(file.name)
    metamer.setup(optimizer=torch.optim.LBFGS)
    log.info("%s: going on after %d turns", path, len(metamer.losses) - 1)
    return metamer
