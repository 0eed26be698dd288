"""Stimulus packs: light, scrambled phases, the manifest, the trials, and the zip."""

import hashlib
import io
import itertools
import keyword
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from small import blobs

from texalign import InputError
from texalign.synthesis import luminance, packs, scramble


def kinds(textures=("a", "b"), methods=("descent", "generator"), seeds=(0, 1)):
    """Rows and images of a small pack."""
    entries = [
        {"texture": t, "texture_class": "c", "method": m, "maker": "net", "seed": s, "loss": 0.5}
        for t in textures
        for m in methods
        for s in seeds
    ]
    return entries, [blobs(16, seed=i) for i in range(len(entries))]


# ---------------------------------------------------------------- light


def test_light_of_known_values():
    """IEC 61966-2-1: half of the range is a fifth of the light; and the linear part near black."""
    assert luminance.to_linear(np.array([0, 10, 188, 255])) == pytest.approx(
        [0, 10 / 255 / 12.92, 0.5029, 1], abs=1e-4
    )
    assert luminance.to_linear(128, 2.2) == pytest.approx((128 / 255) ** 2.2)
    white, black = np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8)
    assert luminance.measure(white) == pytest.approx((1, 0))
    assert luminance.measure(black) == (0, 0)
    half = np.concatenate([white, black])
    assert luminance.measure(half) == pytest.approx((0.5, 1.0))  # RMS contrast of black and white
    green = np.zeros((2, 2, 3), np.uint8)
    green[..., 1] = 255
    assert luminance.measure(green)[0] == pytest.approx(0.7152)


@pytest.mark.parametrize("gamma", ["srgb", 1.8, 2.2])
def test_values_come_back_from_light(gamma):
    values = np.arange(256)
    np.testing.assert_array_equal(luminance.from_linear(luminance.to_linear(values, gamma), gamma), values)


@pytest.mark.parametrize("gamma", ["srgb", 2.2])
@pytest.mark.parametrize(("mean", "contrast"), [(0.2, 0.3), (0.3, None), (None, 0.2), (0.15, 0.5)])
def test_images_get_the_asked_light(gamma, mean, contrast):
    own = luminance.measure(blobs(32), gamma)
    made = luminance.match(blobs(32), mean, contrast, gamma)
    wanted = (mean or own[0], contrast or own[1])
    assert luminance.measure(made, gamma) == pytest.approx(wanted, rel=0.01)


def test_an_image_that_is_as_asked_stays():
    image = blobs(32)
    made = luminance.match(image)
    assert np.abs(made.astype(int) - image).max() <= 1


def test_chromaticity_stays():
    image = np.full((8, 8, 3), (120, 60, 30), np.uint8)
    image[:4] = (80, 40, 20)
    light = luminance.to_linear(luminance.match(image, 0.1, 0.2))
    shares = light / light.sum(-1, keepdims=True)
    own = luminance.to_linear(image)
    np.testing.assert_allclose(shares, own / own.sum(-1, keepdims=True), atol=0.01)


@pytest.mark.parametrize("gamma", [0.5, True, "linear", 9])
def test_a_gamma_that_cannot_be_is_refused(gamma):
    with pytest.raises(InputError, match="use srgb, or an exponent from 1 to 4"):
        luminance.check_gamma(gamma)


# ---------------------------------------------------------------- the control


@pytest.mark.parametrize("shape", [(16, 16), (15, 18)])
def test_scrambled_noise_keeps_spectrum_and_mean_and_nothing_else(shape):
    values = np.random.default_rng(0).normal(size=(*shape, 3)).cumsum(0)
    noise = scramble.scrambled(values, 3)
    ours, theirs = (np.fft.fft2(x, axes=(0, 1)) for x in (noise, values))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(noise.mean((0, 1)), values.mean((0, 1)))
    # How the colours go together at each frequency stays too.
    np.testing.assert_allclose(
        ours[..., 0] * ours[..., 1].conj(), theirs[..., 0] * theirs[..., 1].conj(), atol=1e-8
    )
    assert abs(np.corrcoef(noise.ravel(), values.ravel())[0, 1]) < 0.7
    assert not np.allclose(noise, scramble.scrambled(values, 4))


def test_a_scrambled_image_has_its_colours():
    image = blobs(32)
    noise = scramble.phase_scrambled(image, 1)
    assert noise.dtype == np.uint8
    assert np.abs(noise.mean((0, 1)) - image.mean((0, 1))).max() < 8


# ---------------------------------------------------------------- the pack


def test_the_manifest_tells_what_is_in_the_files():
    entries, images = kinds()
    rows, files = packs.manifest(entries, images)
    table = pd.read_csv(io.BytesIO(packs.table(rows, packs.MANIFEST)))
    assert list(table.columns) == list(packs.MANIFEST)
    assert len(table) == len(files) == 8
    for row in table.to_dict("records"):
        assert row["sha256"] == hashlib.sha256(files[row["file"]]).hexdigest()
        with Image.open(io.BytesIO(files[row["file"]])) as image:
            measured = luminance.measure(np.asarray(image))
        assert (row["mean_luminance"], row["rms_contrast"]) == pytest.approx(measured, abs=1e-6)
    # PsychoPy's rules for a variable's name, and Python's.
    for column in (*packs.MANIFEST, *packs.TRIALS):
        assert column.isidentifier()
        assert not keyword.iskeyword(column)


def test_a_picture_of_a_pack_shows_the_first_images_of_each_kind():
    entries, images = kinds()
    rows, files = packs.manifest(entries, images)
    made = files | {"stimuli.csv": packs.table(rows, packs.MANIFEST)}
    shown = packs.kinds(made, {"net": "Net-1"}, most=2)
    assert [name for name, _ in shown[:2]] == ["a: Net-1, 2", "Net-1 (generator), 2"]
    counts = Counter((row["texture"], row["method"], row["maker"]) for row in rows)
    assert [name.rpartition(", ")[2] for name, _ in shown] == [str(count) for count in counts.values()]
    assert [len(part) for _, part in shown] == [min(count, 2) for count in counts.values()]
    np.testing.assert_array_equal(shown[0][1][0], images[0])


def test_what_is_matched_is_a_number_or_the_mean():
    images = kinds()[1]
    measured = np.mean([luminance.measure(image) for image in images], axis=0)
    assert packs.targets(images, None, 0.3) == (None, 0.3)
    assert packs.targets(images, True, None) == (pytest.approx(measured[0]), None)
    assert packs.targets(images, 0.4, True) == (0.4, pytest.approx(measured[1]))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=4),
    st.integers(0, 2**32 - 1),
    st.integers(1, 2),
)
def test_trials_are_counterbalanced(counts, seed, repeats):
    rows = [
        {"texture": "a", "method": f"m{kind}", "maker": "net", "file": f"{kind}-{i}"}
        for kind, count in enumerate(counts)
        for i in range(count)
    ]
    trials = packs.odd_one_out(rows, seed, repeats)
    there = [kind for kind, count in enumerate(counts) if count]
    comparisons = sum(counts[kind] >= 2 for kind, _ in itertools.permutations(there, 2))
    assert len(trials) == 3 * repeats * comparisons
    positions = Counter((t["method"], t["odd_method"], t["odd_position"]) for t in trials)
    assert set(positions.values()) <= {repeats}
    for trial in trials:
        shown = [trial[f"image_{i}"] for i in (1, 2, 3)]
        assert len(set(shown)) == 3
        of = [f"m{file.split('-')[0]}" for file in shown]
        assert of.pop(trial["odd_position"] - 1) == trial["odd_method"]
        assert of == [trial["method"]] * 2
    assert [t["trial"] for t in trials] == list(range(1, len(trials) + 1))
    assert trials == packs.odd_one_out(rows, seed, repeats)


def test_the_zip_is_the_same_bytes_again(tmp_path):
    rows, files = packs.manifest(*kinds())
    content = files | {"stimuli.csv": packs.table(rows, packs.MANIFEST)}
    for name in ("one.zip", "other.zip"):
        packs.write(tmp_path / name, content)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == content


def test_shadows_that_brighten_show_no_chance_colours():
    """Almost black is any colour: kept as it is, it would stand as pure blue where the contrast falls."""
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, :4] = 230, 220, 200
    image[0, 4:, 2] = 4
    made = luminance.match(image, mean=0.4, contrast=0.3).astype(int)
    assert np.ptp(made[0, 4:], axis=1).max() < 10
    assert np.ptp(made[:, :4], axis=2).min() > 15  # what had a colour has it
