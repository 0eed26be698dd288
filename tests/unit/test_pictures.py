"""Image files: how a photograph becomes pixels, and what a PNG says of its making."""

import struct

import numpy as np
import pytest
import torch
from PIL import Image

from texalign import InputError, builders, formats, pictures


def gradient(mode):
    """Make a 64 x 64 image that is `mode`, black at the left and at its brightest at the right."""
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    if mode == "I;16":
        return Image.fromarray(np.tile(np.linspace(0, 65535, 64), (64, 1)).astype(np.uint16))
    if mode == "I":
        return Image.fromarray(np.tile(np.linspace(0, 65535, 64), (64, 1)).astype(np.int32))
    if mode == "F":
        return Image.fromarray(np.tile(np.linspace(0, 1, 64), (64, 1)).astype(np.float32))
    grey = Image.fromarray(ramp)
    return grey.convert("RGB").convert(mode) if mode in ("CMYK", "P", "YCbCr") else grey.convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[(mode, "png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        *[(mode, "tif") for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F")],
        *[("L", "jpg"), ("RGB", "jpeg"), ("CMYK", "jpg"), ("L", "bmp"), ("P", "gif"), ("RGB", "webp")],
        *[("RGBA", "webp"), ("RGB", "ppm"), ("L", "pgm"), ("1", "pbm"), ("I", "pgm")],
    ],
)
def test_every_mode_keeps_its_range(tmp_path, mode, suffix):
    file = tmp_path / f"ramp.{suffix}"
    gradient(mode).save(file)
    image = pictures.decode(file, 64)
    assert image.shape == (64, 64, 3)
    assert image.dtype == np.uint8
    columns = image.mean(axis=(0, 2))
    truth = np.linspace(0, 255, 64)
    # One bit deep is dithered; JPEG and WebP lose a little, CMYK and a web palette a little more.
    if mode == "1":
        assert columns[:8].mean() < 30
        assert columns[-8:].mean() > 225
    else:
        assert np.abs(columns - truth).max() < (30 if mode == "P" else 6)


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floats_are_scaled_from_the_narrowest_usual_range(tmp_path, top):
    Image.fromarray(np.full((4, 4), top / 2, np.float32)).save(tmp_path / "half.tif")
    assert np.abs(pictures.decode(tmp_path / "half.tif", 4).astype(int) - 128).max() <= 1


def test_dark_16_bit_is_not_stretched(tmp_path):
    Image.fromarray(np.full((4, 4), 257 * 10, np.uint16)).save(tmp_path / "dark.png")
    assert (pictures.decode(tmp_path / "dark.png", 4) == 10).all()


@pytest.mark.parametrize("value", [-1.0, 70000.0, float("nan")])
def test_floats_without_a_usual_range_are_refused(tmp_path, value):
    Image.fromarray(np.full((4, 4), value, np.float32)).save(tmp_path / "odd.tif")
    with pytest.raises(InputError, match=r"odd\.tif.*grey values from .*allowed are 0 to 65535"):
        pictures.decode(tmp_path / "odd.tif", 4)


@pytest.mark.parametrize("kind", ["int32", "uint16"])
@pytest.mark.parametrize(("tag", "largest", "top"), [(281, 4095, 4095), (341, 3000, 4095), (281, 200, 255)])
def test_deep_grey_is_scaled_from_the_range_that_tags_tell(tmp_path, kind, tag, largest, top):
    """The largest value alone would stretch a dark image: its bits count."""
    values = np.tile(np.linspace(0, largest, 64), (64, 1)).astype(kind)
    Image.fromarray(values).save(tmp_path / "ramp.tif", tiffinfo={tag: largest})
    expected = np.rint(values[0] * (255 / top))
    np.testing.assert_array_equal(pictures.decode(tmp_path / "ramp.tif", None)[0, :, 0], expected)


def test_12_bits_packed_are_scaled_from_12_bits(tmp_path):
    """By hand, as Pillow writes none: two values of 12 bits in three bytes."""
    values = np.arange(0, 4096, 65, dtype=np.uint16)[:64]
    pairs = values.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1)
    data = np.tile(packed.astype(np.uint8).ravel(), 64).tobytes()
    tags = [(256, 64), (257, 64), (258, 12), (259, 1), (262, 1), (273, 122), (278, 64), (279, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (277, 1)])
    header = struct.pack("<2sHIH", b"II", 42, 8, 9) + entries + bytes(4)
    (tmp_path / "packed.tif").write_bytes(header + data)
    image = pictures.decode(tmp_path / "packed.tif", None)
    np.testing.assert_array_equal(image[5, :, 0], np.rint(values * (255 / 4095)))


def test_images_that_are_as_good_as_constant_span_few_levels(tmp_path):
    grey = np.add.outer(np.arange(64), np.arange(64)) * 2
    Image.fromarray(grey.astype(np.int32)).save(tmp_path / "8 in 32 bits.tif")
    Image.fromarray((grey * 16).astype(np.uint16)).save(tmp_path / "12 in 16 bits.tif")
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("L", (64, 64), 9).save(tmp_path / "blank.jpg")
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "good.webp")
    Image.fromarray((grey * 256).astype(np.uint16)).save(tmp_path / "good.png")
    found = {file.name: pictures.spans(pictures.decode(file, 32)[None])[0] for file in tmp_path.iterdir()}
    assert {name for name, levels in found.items() if levels < pictures.FAINT} == {
        *("8 in 32 bits.tif", "12 in 16 bits.tif", "clear.png", "blank.jpg")
    }


@pytest.mark.parametrize("suffix", formats.SUFFIXES)
def test_every_suffix_that_is_promised_is_read(tmp_path, suffix):
    """By the format that Pillow itself writes for the suffix."""
    kind = next(name for name, suffixes in formats.FORMATS.items() if suffix in suffixes)
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    image = Image.effect_noise((32, 32), 60).convert("F" if suffix == ".pfm" else "RGB")
    image.save(tmp_path / f"noise{suffix}", format=kind)
    assert pictures.spans(pictures.decode(tmp_path / f"noise{suffix}", 16)[None])[0] > 30


@pytest.mark.parametrize("kind", ["EPS", "ICO", "PDF", "XBM"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_other_formats_are_not_opened_whatever_their_names_say(tmp_path, monkeypatch, kind, suffix):
    """EPS would start Ghostscript, which runs what the file says."""
    image = Image.effect_noise((32, 32), 60)
    image.convert("1" if kind == "XBM" else "RGB").save(tmp_path / f"other.{suffix}", format=kind)
    monkeypatch.setattr("subprocess.Popen", lambda *_: pytest.fail("a program was started"))
    with pytest.raises(InputError, match=rf"other\.{suffix}: cannot be decoded \(cannot identify"):
        pictures.decode(tmp_path / f"other.{suffix}", 16)


def test_a_suffix_may_be_that_of_another_promised_format(tmp_path):
    Image.effect_noise((32, 32), 60).save(tmp_path / "really.png", format="JPEG")
    assert pictures.decode(tmp_path / "really.png", 16).shape == (16, 16, 3)


def transparent(mode):
    if mode == "P":
        image = Image.new("P", (4, 4), 1)
        image.putpalette([0, 0, 0, 255, 0, 0])
        return image, {"transparency": 1}
    if mode in ("L", "RGB"):  # one colour of an opaque mode that counts as transparent
        colour = 7 if mode == "L" else (7, 8, 9)
        return Image.new(mode, (4, 4), colour), {"transparency": colour}
    return Image.new(mode, (4, 4), (7, 0) if mode == "LA" else (255, 0, 0, 0)), {}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_transparency_is_laid_on_white(tmp_path, mode):
    image, options = transparent(mode)
    image.save(tmp_path / "clear.png", **options)
    assert (pictures.decode(tmp_path / "clear.png", 4) == 255).all()


def test_half_transparent_red_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(tmp_path / "pink.png")
    np.testing.assert_allclose(pictures.decode(tmp_path / "pink.png", 4)[0, 0], (255, 127, 127), atol=1)


# What each EXIF orientation asks of a viewer, in NumPy's terms.
VIEWED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", VIEWED)
def test_exif_orientation_is_followed(tmp_path, orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(pictures.decode(tmp_path / "turned.png", 16), VIEWED[orientation](pixels))


def test_shrinking_averages_and_does_not_keep_the_aspect_ratio(tmp_path):
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, ::2] = 255  # single-pixel stripes: without antialiasing they would come out black or white
    Image.fromarray(pixels).save(tmp_path / "fine.png")
    image = pictures.decode(tmp_path / "fine.png", 16)
    assert image.shape == (16, 16, 3)
    assert np.abs(image[2:-2, 2:-2].astype(int) - 127).max() < 12


def test_resize_is_bilinear_with_a_widened_triangle(tmp_path):
    """The filter by hand: weights fall to 0 over one output pixel on each side."""
    row = np.random.default_rng(1).integers(0, 256, 40)
    Image.fromarray(np.tile(row, (40, 1)).astype(np.uint8)).save(tmp_path / "row.png")
    scale = 40 / 10
    centres = (np.arange(10)[:, None] + 0.5) * scale
    weights = np.clip(1 - np.abs(np.arange(40) + 0.5 - centres) / scale, 0, None)
    expected = (weights / weights.sum(axis=1, keepdims=True)) @ row
    got = pictures.decode(tmp_path / "row.png", 10)[5, :, 0]
    np.testing.assert_allclose(got, expected, atol=1)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp", "bmp"])
def test_broken_files_are_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole, file = tmp_path / f"whole.{suffix}", tmp_path / f"broken.{suffix}"
    Image.fromarray(noise).save(whole)
    content = whole.read_bytes()
    for broken in (content[: len(content) // 2], content[:20], b"not an image at all"):
        file.write_bytes(broken)
        with pytest.raises(
            InputError, match=rf"broken\.{suffix}: cannot be decoded \(.+\); replace the image"
        ):
            pictures.decode(file, 8)
    file.write_bytes(b"")
    with pytest.raises(InputError, match=rf"broken\.{suffix}.*the file is empty"):
        pictures.decode(file, 8)


@pytest.mark.parametrize("times", [1.1, 3])
def test_decompression_bombs_are_refused(tmp_path, monkeypatch, times):
    Image.new("L", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(10000 / times))
    with pytest.raises(InputError, match=r"bomb\.png: cannot be decoded"):
        pictures.decode(tmp_path / "bomb.png", 8)


def test_error_is_one_line(tmp_path):
    # A BMP that promises a compression which does not exist.
    Image.new("RGB", (4, 4)).save(tmp_path / "odd.bmp")
    content = bytearray((tmp_path / "odd.bmp").read_bytes())
    content[30:34] = struct.pack("<I", 99)
    (tmp_path / "odd.bmp").write_bytes(content)
    with pytest.raises(InputError) as caught:
        pictures.decode(tmp_path / "odd.bmp", 4)
    assert "\n" not in str(caught.value)


def test_png_holds_its_metadata(tmp_path):
    image = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0))
    metadata = {
        "method": "descent",
        "maker": "vgg19",
        "seed": 3,
        "loss": 0.1,
        "layers": {"L1": "é"},
        "x": None,
    }
    path = tmp_path / "new" / "texture.png"
    pictures.save_png(path, image, metadata)
    assert pictures.read_metadata(path) == metadata
    np.testing.assert_allclose(pictures.decode(path, None) / 255, image.permute(1, 2, 0), atol=0.51 / 255)


def test_a_png_of_another_program_is_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "other.png")
    with pytest.raises(InputError, match=r"other\.png"):
        pictures.read_metadata(tmp_path / "other.png")


@pytest.mark.parametrize("part", [b"IDAT", b"tEXt", b"IHDR"])
def test_a_flipped_bit_in_a_png_is_noticed(tmp_path, part):
    """Pillow by itself reads on over pixels whose checksum is wrong."""
    path, pixels = tmp_path / "x.png", np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    pictures.save_png(path, pixels, {"method": "descent", "maker": "vgg19"})
    assert np.array_equal(pictures.decode(path, None), pixels)
    sound = path.read_bytes()
    place = sound.index(part)
    for offset in (5, 9, 12):
        content = bytearray(sound)
        content[place + offset] ^= 0x10
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.png: "):
            pictures.decode(path, None)
        with pytest.raises(InputError, match=r"x\.png: .*delete it and run again"):
            pictures.read_metadata(path)


# ---------------------------------------------------------------- from any shape to a square


@pytest.fixture(params=[(60, 40), (40, 61), (37, 37), (200, 9)])
def photograph(request):
    width, height = request.param
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_squash_is_the_default_and_what_it_was(photograph, tmp_path):
    photograph.save(tmp_path / "x.png")
    expected = np.asarray(photograph.resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(pictures.decode(tmp_path / "x.png", 32), expected)
    assert np.array_equal(pictures.decode(tmp_path / "x.png", 32, "squash"), expected)


def test_crop_is_torchvisions(photograph):
    """Its `Resize` and `CenterCrop` for the same image."""
    builders.torchvision_models()
    from torchvision.transforms import v2

    theirs = v2.Compose([v2.Resize(32), v2.CenterCrop(32)])(photograph)
    assert np.array_equal(np.asarray(pictures.fitted(photograph, 32, 32, "crop")), np.asarray(theirs))


def test_pad_keeps_all_of_the_image_in_its_middle(photograph):
    padded = np.asarray(pictures.fitted(photograph, 32, 32, "pad"))
    scale = 32 / max(photograph.size)
    width, height = (max(1, int(side * scale + 1e-9)) for side in photograph.size)
    inner = np.asarray(photograph.resize((width, height), Image.Resampling.BILINEAR))
    mean = np.rint(np.asarray(photograph).mean((0, 1)))
    left, top = round((32 - width) / 2), round((32 - height) / 2)
    assert np.array_equal(padded[top : top + height, left : left + width], inner)
    padded = padded.astype(float)
    padded[top : top + height, left : left + width] = mean
    assert (padded == mean).all()


def test_a_size_of_two_sides_keeps_the_aspect_ratio():
    image = Image.new("RGB", (100, 50), "red")
    image.paste("blue", (0, 0, 10, 50))
    assert np.asarray(pictures.fitted(image, 20, 40, "pad")).shape == (20, 40, 3)
    assert np.array_equal(pictures.fitted(image, 20, 40, "pad"), pictures.fitted(image, 20, 40, "squash"))
    assert (np.asarray(pictures.fitted(image, 20, 20, "crop")) == (255, 0, 0)).all()  # blue is cut off


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="resize: 'stretch' is not allowed; use one of squash, crop, pad"):
        pictures.fitted(Image.new("RGB", (4, 4)), 2, 2, "stretch")
