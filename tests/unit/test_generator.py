"""The generator: its parameters, its torus, windows of it, its noise, and its file."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from small import blobs

from texalign import InputError
from texalign.synthesis import generator_file, sampling
from texalign.synthesis.generator import (
    ARCHITECTURES,
    Architecture,
    Generator,
    Noise,
    batch_noise,
    parameters,
    take_statistics,
)

SMALL = Architecture(scales=3, channels=4)


def calibrated(architecture=SMALL, seed=0):
    """A generator with random weights and statistics of its own."""
    made = Generator(architecture, seed)
    take_statistics(made, (16, 16), 8, inputs_for(architecture))
    return made


def inputs_for(architecture):
    def inputs(count, seed, number):
        noise = batch_noise(architecture, (16, 16), count, seed, number)
        return [torch.cat([level, level], 1) for level in noise] if architecture.content else noise

    return inputs


def block(before, after, sides=(3, 3, 1)):
    """Parameters of a block by hand: weights, biases, and two for each channel of a normalisation."""
    return sum((before if i == 0 else after) * after * side**2 + 3 * after for i, side in enumerate(sides))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("as_written", 71_659),
        ("style_as_written", 118_211),
        ("as_released", 116_915),
        ("as_improved", 71_659),
    ],
)
def test_parameters(name, expected):
    """The paper says about 65,000 for K = 5."""
    architecture = ARCHITECTURES[name]
    k, given = architecture.scales, 3 + 3 * architecture.content
    by_hand = k * block(given, 8) + sum(block(w, w) for w in range(16, 8 * k + 1, 8))
    by_hand += sum(2 * (w - 8) + 2 * 8 for w in range(16, 8 * k + 1, 8)) + 3 * 8 * k + 3
    assert parameters(Generator(architecture)) == by_hand == expected
    if name == "as_released":
        # Those of the published files, whose norms of what is enlarged have 8 channels each.
        assert by_hand - sum(2 * (w - 16) for w in range(16, 8 * k + 1, 8)) == 116_755


@pytest.mark.parametrize("normalisation", ["batch", "instance"])
@pytest.mark.parametrize("pointwise", [True, False])
def test_windows_are_parts_of_the_whole(normalisation, pointwise):
    architecture = Architecture(3, 4, normalisation=normalisation, pointwise=pointwise, slope=0.01)
    made, size = calibrated(architecture), (24, 16)
    with torch.no_grad():
        whole = made([level for level in batch_noise(architecture, size, 1, 5, 2)])
    at = sampling.inputs_of(made, 5, size, 2)
    for window in ((0, 0, 24, 16), (3, 5, 7, 6), (20, 13, 12, 9), (-5, -3, 4, 40)):
        with torch.no_grad():
            part = made.window(at, *window)
        rows = torch.arange(window[0], window[0] + window[2]) % 24
        columns = torch.arange(window[1], window[1] + window[3]) % 16
        torch.testing.assert_close(part, whole[:, :, rows][..., columns], rtol=1e-4, atol=1e-5)


def test_a_sample_is_the_same_whatever_else_is_made(monkeypatch):
    made = calibrated()
    alone = sampling.sample(made, 3, (32, 32), 7)
    sampling.sample(made, 4, (64, 32))  # in between
    several = {number: sampling.sample(made, 3, (32, 32), number) for number in (9, 7, 1)}
    np.testing.assert_array_equal(several[7], alone)
    assert (several[9] != alone).mean() > 0.5
    in_parts = np.zeros_like(alone)
    for top, left, part in sampling.windows(made, 3, (32, 32), 7, side=10):
        in_parts[top : top + part.shape[0], left : left + part.shape[1]] = part
    # To rounding of the last of 255 levels.
    assert np.abs(in_parts.astype(int) - alone).max() <= 1
    assert (in_parts != alone).mean() < 0.01


def test_evaluation_does_not_depend_on_the_batch():
    """With statistics of the batch it did, in the authors' program."""
    made = calibrated()
    noise = batch_noise(SMALL, (16, 16), 4, 0)
    with torch.no_grad():
        together, alone = made(noise), made([level[2:3] for level in noise])
        torch.testing.assert_close(together[2:3], alone, rtol=1e-4, atol=1e-5)
        made.train()
        assert not torch.allclose(made(noise)[2:3], made([level[2:3] for level in noise]), atol=1e-2)


def test_a_sample_tiles_without_a_seam():
    """Rolled noise gives the rolled sample: the border is like any other place."""
    made = calibrated()
    noise = batch_noise(SMALL, (16, 16), 1, 1)
    step = SMALL.step
    rolled = [level.roll((2 * step >> i, step >> i), (2, 3)) for i, level in enumerate(noise)]
    with torch.no_grad():
        one, other = made(noise), made(rolled)
    torch.testing.assert_close(other, one.roll((2 * step, step), (2, 3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(30, 17), (5, 40)])
def test_sizes_that_cannot_be_halved_are_cut_out(size):
    made = calibrated()
    torus = tuple(-(-side // 4) * 4 for side in size)
    image = sampling.sample(made, 0, size)
    assert image.shape == (*size, 3)
    whole = sampling.sample(made, 0, torus)
    assert np.abs(image.astype(int) - whole[: size[0], : size[1]]).max() <= 1


def test_noise_is_uniform_and_a_function_of_the_place():
    noise = Noise(3, 1, (64, 64))
    drawn = noise.window(0, 0, 0, 64, 64).numpy()
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert abs(drawn.mean() - 0.5) < 4 / np.sqrt(12 * drawn.size)
    assert abs(drawn.var() - 1 / 12) < 0.005
    again = Noise(3, 1, (64, 64)).window(0, 60, -2, 8, 5).numpy()
    np.testing.assert_array_equal(again[0], drawn[0][:, np.arange(60, 68) % 64][..., np.arange(-2, 3) % 64])
    for other in (Noise(4, 1, (64, 64)), Noise(3, 2, (64, 64))):
        assert (other.window(0, 0, 0, 64, 64).numpy() != drawn).mean() > 0.99
    assert (noise.window(1, 0, 0, 32, 32).numpy() != drawn[..., :32, :32]).mean() > 0.99
    assert Noise(3, 1, (64, 64), scale=10.0).window(0, 0, 0, 1, 1).numpy().max() > 1


def test_a_generator_comes_back_from_its_file(tmp_path):
    made = calibrated(Architecture(3, 4, content=True, normalisation="instance"))
    generator_file.save(tmp_path / "g.safetensors", made, {"exemplar": "here", "seed": 3})
    again, about = generator_file.load(tmp_path / "g.safetensors")
    assert about == {"exemplar": "here", "seed": 3}
    assert again.architecture == made.architecture
    assert not again.training
    for name, tensor in made.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    image = blobs(16)
    np.testing.assert_array_equal(
        sampling.sample(again, 0, (16, 16), content=image), sampling.sample(made, 0, (16, 16), content=image)
    )


def test_a_generator_file_that_cannot_be_right_is_told_in_one_line(tmp_path):
    path, made = tmp_path / "g.safetensors", calibrated()
    generator_file.save(path, made)
    good = path.read_bytes()

    def told(content):
        path.write_bytes(content)
        with pytest.raises(InputError, match="delete it and run again") as caught:
            generator_file.load(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "cannot be read" in told(good[:-100])
    assert "cannot be read" in told(b"")
    flipped = bytearray(good)
    flipped[-5] ^= 16
    assert "its checksum is wrong" in told(bytes(flipped))
    state = {name: tensor.contiguous() for name, tensor in made.state_dict().items()}
    assert "of another version" in told(safetensors.torch.save(state, {"format": "texalign generator 0"}))
    head = {
        "format": generator_file.FORMAT,
        "kind": Generator.kind,
        "sha256": generator_file._digest(state),
        "architecture": json.dumps(Generator(Architecture(2, 4)).description),
        "about": "{}",
    }
    assert "not of the architecture" in told(safetensors.torch.save(state, head))
    with pytest.raises(InputError, match="no such generator"):
        generator_file.load(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scales": 0}, "scales: 0 given; a whole number"),
        ({"normalisation": "layer"}, "normalisation: 'layer' is unknown; allowed: batch, instance"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        Architecture(**options)


def test_content_is_asked_for_and_checked():
    with pytest.raises(InputError, match="it takes no content image"):
        sampling.sample(calibrated(), 0, (16, 16), content=blobs(16))
    style = calibrated(Architecture(3, 4, content=True))
    with pytest.raises(InputError, match="a content image is needed"):
        sampling.sample(style, 0, (16, 16))
    with pytest.raises(InputError, match="content: 16x16 px given; 24x16 are needed"):
        sampling.sample(style, 0, (24, 16), content=blobs(16))
