"""DCGAN: shapes, learning, resuming to the same bits, and samples of any size."""

import numpy as np
import pytest
import torch
from small import blobs

from texalign import InputError
from texalign.synthesis import dcgan

OPTIONS = {"batch": 2, "channels": 4, "noise": 4, "checkpoint_every": 2, "every": 2}


def test_shapes_are_those_of_radford_et_al():
    settings = dcgan.Settings(**{key: OPTIONS[key] for key in ("batch", "channels", "noise")})
    generator, judge = dcgan.Generator(settings), dcgan.build_judge(settings)
    image = generator(torch.randn(2, 4, 4, 4))
    assert image.shape == (2, 3, 64, 64)
    assert image.abs().max() <= 1
    assert judge(image).shape == (2,)
    assert generator(torch.randn(1, 4, 16, 16)).shape == (1, 3, 256, 256)


def test_a_killed_training_ends_with_the_same_bits(tmp_path, monkeypatch):
    options = OPTIONS | {"iterations": 6, "seed": 1}
    undisturbed, trace, about = dcgan.train(blobs(72), **options)
    step = dcgan.Learner.step

    def die(learner):
        if learner.iteration == 5:
            raise KeyboardInterrupt
        return step(learner)

    with monkeypatch.context() as patch:
        patch.setattr(dcgan.Learner, "step", die)
        with pytest.raises(KeyboardInterrupt):
            dcgan.train(blobs(72), path=tmp_path / "c", **options)
    resumed, again, _ = dcgan.train(blobs(72), path=tmp_path / "c", **options)
    for name, tensor in undisturbed.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor)
    assert [{**row, "seconds": 0} for row in again] == [{**row, "seconds": 0} for row in trace]
    assert [row["iteration"] for row in trace] == [1, 2, 4, 6]
    assert about["method"] == "dcgan"
    one, same, other = (dcgan.sample(resumed, seed, (48, 80)) for seed in (0, 0, 1))
    assert one.shape == (48, 80, 3)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_the_generator_learns_the_exemplars_colour():
    exemplar = np.full((64, 64, 3), (250, 20, 20), np.uint8)
    exemplar[::2] = (180, 20, 20)
    options = {"batch": 4, "channels": 4, "noise": 4, "learning_rate": 2e-3}
    generator, _, _ = dcgan.train(exemplar, iterations=60, **options)
    colour = dcgan.sample(generator, 0, (64, 64)).mean((0, 1))
    assert colour[0] > colour[1] + 15


def test_a_small_exemplar_is_refused():
    with pytest.raises(InputError, match="32x32 px given; an exemplar of at least 64 px a side is needed"):
        dcgan.train(blobs(32), iterations=1)
