"""Statistics of Portilla and Simoncelli, by the optional package plenoptic."""

import numpy as np
import pytest
import torch
from small import blobs

from texalign import InputError
from texalign.synthesis import portilla_simoncelli


def test_without_plenoptic_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(portilla_simoncelli, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"pip install -r envs/plenoptic.txt"):
        portilla_simoncelli.distances(blobs(32, 32, seed=0), [])


def test_grey_is_cut_to_what_the_scales_divide():
    assert portilla_simoncelli.grey(blobs(120, 132, seed=0)).shape == (1, 1, 112, 128)
    white = portilla_simoncelli.grey(np.full((32, 32, 3), 255, np.uint8))
    torch.testing.assert_close(white, torch.ones(1, 1, 32, 32, dtype=torch.float64))
    with pytest.raises(InputError, match="12x20 px is too small; at least 14"):
        portilla_simoncelli.grey(blobs(12, 20, seed=0))


@pytest.mark.filterwarnings("default")  # other people's package
@pytest.mark.skipif(not portilla_simoncelli.is_available(), reason="plenoptic is not installed")
def test_a_synthesis_nears_the_statistics(capsys):
    exemplar = blobs(32, 32, seed=0)
    image, trace = portilla_simoncelli.synthesize(exemplar, iterations=20)
    assert image.shape == (3, 32, 32)
    assert trace[-1]["loss"] < 0.2 * trace[0]["loss"]
    shown = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    own, near, far = portilla_simoncelli.distances(exemplar, [exemplar, shown, blobs(32, 32, seed=1)])
    assert own == pytest.approx(0, abs=1e-9)
    assert near < far
    assert not capsys.readouterr().err  # no bars
    again, _ = portilla_simoncelli.synthesize(exemplar, iterations=20)
    torch.testing.assert_close(image, again, rtol=0, atol=0)


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(not portilla_simoncelli.is_available(), reason="plenoptic is not installed")
def test_a_killed_synthesis_goes_on_and_ends_with_the_same_bits(tmp_path, monkeypatch, caplog):
    exemplar, checkpoint = blobs(32, seed=0), tmp_path / "run/image.checkpoint"
    options = {"iterations": 40, "checkpoint_every": 10}
    undisturbed, told = portilla_simoncelli.synthesize(exemplar, **options)
    metamer = portilla_simoncelli._plenoptic().Metamer
    save, saved = metamer.save, []

    def die(self, path):
        save(self, path)
        saved.append(path)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(metamer, "save", die)
        with pytest.raises(KeyboardInterrupt):
            portilla_simoncelli.synthesize(exemplar, path=checkpoint, **options)
    caplog.set_level("INFO")
    resumed, trace = portilla_simoncelli.synthesize(exemplar, path=checkpoint, **options)
    assert "going on after 2 turns" in caplog.text
    torch.testing.assert_close(resumed, undisturbed, rtol=0, atol=0)
    assert [row["loss"] for row in trace] == [row["loss"] for row in told]
    other, _ = portilla_simoncelli.synthesize(blobs(32, seed=1), path=checkpoint, **options)
    assert "starting anew" in caplog.text
    assert not torch.equal(other, undisturbed)
