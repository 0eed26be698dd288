"""Generators that the authors of Texture Networks published: read, calibrated, and like their exemplars."""

import importlib.util
import sys

import numpy as np
import pytest
import torch
from architectures import ROOT
from small import blobs

from texalign import InputError, pictures
from texalign.synthesis import sampling, torch7, training
from texalign.synthesis.generator import batch_noise, parameters

DATA = ROOT.parent / "shared/data/texture_nets"
HAS = importlib.util.find_spec("torchfile") is not None
real = pytest.mark.skipif(not (HAS and DATA.is_dir()), reason="needs torchfile, and the authors' files")


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@real
@pytest.mark.parametrize("name", ["pebble", "bricks"])
def test_a_published_texture_looks_like_its_exemplar(name, one_thread):
    torchfile = importlib.import_module("torchfile")
    path = DATA / f"{name}.png_model.t7"
    generator = torch7.read(path)
    assert (generator.architecture.scales, parameters(generator)) == (6, 116_915)
    torch7.calibrate(generator, size=64, count=8)
    # The statistics that its first layers had when it was saved: so the noise is the right one.
    theirs = torch7._learned(torch7._scales(torchfile.load(str(path)))[0]["inputs"])[1]
    ours = generator.inputs[0][1]
    np.testing.assert_allclose(ours.running_mean, theirs[b"running_mean"], atol=0.2)
    np.testing.assert_allclose(ours.running_var, theirs[b"running_var"], rtol=0.1)
    image = sampling.sample(generator, 0, (128, 128)).astype(float)
    exemplar = pictures.decode(DATA / f"{name}.png", 128).astype(float)
    assert np.abs(image.mean((0, 1)) - exemplar.mean((0, 1))).max() < 25
    assert 0.6 < image.std() / exemplar.std() < 1.5
    assert (sampling.sample(generator, 1, (128, 128)) != image).mean() > 0.5


@real
def test_a_published_style_keeps_the_content(one_thread):
    generator = torch7.read(DATA / "starry_style.t7")
    assert generator.architecture.content
    content = pictures.decode(DATA / "bird.jpg", (96, 128))
    torch7.calibrate(generator, [content])
    image = sampling.sample(generator, 0, (96, 128), content=content).astype(float)
    grey, wanted = image.mean(2).ravel(), content.mean(2).ravel()
    assert np.corrcoef(grey, wanted)[0, 1] > 0.5
    assert np.abs(image - content).mean() > 10
    with pytest.raises(InputError, match="a style's, not a texture's; name it under"):
        torch7.check_kind(generator, "starry_style.t7", style=False)


def test_calibration_of_a_style_needs_images():
    generator = training.Generator(training.architecture("as_released", True))
    with pytest.raises(InputError, match="a style's needs images to be calibrated on"):
        torch7.calibrate(generator)
    torch7.calibrate(generator, [blobs(32), blobs(48)], count=2)
    noise = batch_noise(generator.architecture, (32, 32), 1, 0)
    with torch.no_grad():
        assert generator([torch.cat([level, level], 1) for level in noise]).isfinite().all()


@pytest.mark.skipif(not HAS, reason="torchfile is not installed")
@pytest.mark.parametrize("content", [b"", b"no model", bytes(range(256))])
def test_what_is_no_such_file_is_told_in_one_line(tmp_path, content):
    (tmp_path / "x.t7").write_bytes(content)
    with pytest.raises(
        InputError, match=r"x\.t7: no generator of Texture Networks in Torch7's format"
    ) as told:
        torch7.read(tmp_path / "x.t7")
    assert "\n" not in str(told.value)


def test_without_torchfile_it_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "torchfile", raising=False)
    with pytest.raises(InputError, match=r"torchfile is not installed; run: pip install -r envs/torch7\.txt"):
        torch7.read(tmp_path / "x.t7")
