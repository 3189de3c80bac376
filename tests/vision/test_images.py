"""Pictures of every kind that people have, and files that are none."""

import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from xai_assets.vision.images import ImageError, load_images, read_folder, read_image

RED = (200, 30, 40)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def picture(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    width, height = size
    ramp = np.linspace(0, 255, width * height * 3).astype(np.uint8).reshape(height, width, 3)
    return Image.fromarray(ramp).convert(mode)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "webp", "jpg", "gif", "jp2", "avif"])
def test_formats_give_rgb_of_the_right_size(tmp_path: Path, suffix: str) -> None:
    image = read_image(save(tmp_path / f"a.{suffix}", picture()))
    assert image.pixels.shape == (30, 40, 3)
    assert image.pixels.dtype == np.uint8
    assert image.id == f"a.{suffix}"


def test_lossless_pixels_come_back_as_they_were(tmp_path: Path, noise: np.ndarray) -> None:
    image = read_image(save(tmp_path / "a.png", Image.fromarray(noise)))
    assert np.array_equal(image.pixels, noise)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 0


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_modes_without_colour_become_rgb(tmp_path: Path, mode: str) -> None:
    image = read_image(save(tmp_path / "a.png", picture(mode)))
    assert image.mode == mode
    assert np.array_equal(image.pixels, np.array(picture(mode).convert("RGB")))


def test_cmyk_is_converted_and_said(tmp_path: Path) -> None:
    image = read_image(save(tmp_path / "a.jpg", Image.new("RGB", (20, 20), RED).convert("CMYK"), quality=98))
    assert image.mode == "CMYK"
    assert np.abs(image.pixels.astype(int) - RED).max() <= 6


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str) -> None:
    layer = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    layer.paste((0, 0, 0, 255), (0, 0, 2, 2))
    layer.paste((0, 0, 0, 51), (3, 0, 4, 2))  # a fifth
    pixels = read_image(save(tmp_path / "a.png", layer.convert(mode))).pixels[..., 0]
    assert pixels.tolist() == [[0, 0, 255, 204]] * 2


def test_a_transparent_palette_colour_is_laid_over_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    read = read_image(save(tmp_path / "a.png", image, transparency=0))
    assert read.pixels.tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 128, 257, 32768, 65535]], dtype=np.uint16)
    read = read_image(save(tmp_path / "a.png", Image.fromarray(values)))
    assert read.mode == "I;16"
    assert read.pixels[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_a_mode_without_a_white_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tiff", Image.fromarray(np.ones((3, 3), dtype=np.float32)))
    with pytest.raises(ImageError, match="mode F"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(tmp_path: Path, orientation: int) -> None:
    upright = np.array(picture(size=(6, 4)))
    # EXIF 2.3, tag 274: where the stored row 0 and column 0 are on the upright picture.
    rows_from_below, columns_from_right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    stored = upright[:: -1 if rows_from_below else 1, :: -1 if columns_from_right else 1]
    if orientation > 4:  # stored rows are upright columns
        stored = stored.swapaxes(0, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif.tobytes())
    assert np.array_equal(read_image(path).pixels, upright)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "folder.jpg").mkdir()
    for name, why in [
        ("empty.jpg", "empty"),
        ("text.jpg", "not a picture"),
        ("folder.jpg", "not a regular file"),
        ("absent.jpg", "no such file"),
    ]:
        with pytest.raises(ImageError, match=why) as caught:
            read_image(tmp_path / name)
        assert caught.value.what == str(tmp_path / name)
        assert caught.value.remedy


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif"])
@pytest.mark.parametrize("lenient", [False, True])
def test_half_a_file_is_no_picture(
    tmp_path: Path, suffix: str, lenient: bool, noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)  # WeasyPrint sets it when it is imported
    path = save(tmp_path / f"a.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError):
        read_image(path)
    assert lenient is ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path, noise: np.ndarray) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(noise))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ImageError, match="damaged"):
        read_image(path)


def test_an_animation_is_refused_and_a_still_gif_is_not(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="2 frames"):
        read_image(path)
    assert read_image(save(tmp_path / "b.gif", frames[0])).pixels[0, 0].tolist() == [255, 0, 0]


def test_a_bomb_is_refused_before_it_is_unpacked_and_without_a_warning(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for side in (10_000, 30_000):  # beyond Pillow's warning, and beyond its error
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        body = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
        path = tmp_path / f"{side}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ImageError, match="pixels"):
                read_image(path)


def test_the_limit_of_pixels_is_the_callers(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", picture(size=(40, 30)))
    assert read_image(path, max_pixels=1200).pixels.shape == (30, 40, 3)
    with pytest.raises(ImageError, match="40 x 30"):
        read_image(path, max_pixels=1199)


def test_postscript_is_never_interpreted(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n%%EOF\n")
    with pytest.raises(ImageError, match="not a picture"):
        read_image(path)


def test_one_bad_picture_does_not_stop_the_others(tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        save(tmp_path / name, picture())
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("no picture, and not meant to be one")
    images, quarantined = load_images(read_folder(tmp_path))
    assert [image.id for image in images] == ["a.png", "c.png"]
    assert [Path(item.path).name for item in quarantined] == ["b.png"]
    assert quarantined[0].why
    assert quarantined[0].remedy


def test_two_pictures_of_one_name_are_not_filed_under_it(tmp_path: Path) -> None:
    paths = []
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        paths.append(save(tmp_path / folder / "a.png", picture()))
    images, quarantined = load_images(paths)
    assert len(images) == 1
    assert "taken" in quarantined[0].why
    images, quarantined = load_images(read_folder(tmp_path, recursive=True), root=tmp_path)
    assert [image.id for image in images] == ["x/a.png", "y/a.png"]
    assert not quarantined


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    for folder, why in [(tmp_path, "no picture files"), (tmp_path / "absent", "no such folder")]:
        with pytest.raises(ImageError, match=why):
            read_folder(folder)


def test_the_photographs_of_the_reference_are_read(reference_data: Path) -> None:
    images, quarantined = load_images(read_folder(reference_data / "images"))
    assert len(images) == 10
    assert not quarantined
    for image in images:
        with Image.open(image.path) as foreign:
            assert np.array_equal(image.pixels, np.array(foreign.convert("RGB")))


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0"]),
)
def test_any_bytes_are_a_picture_or_an_image_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, magic: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.img"
    path.write_bytes(magic + data)
    images, quarantined = load_images([path], max_pixels=10_000)  # anything but an ImageError would escape
    assert len(images) + len(quarantined) == 1
    for bad in quarantined:
        assert bad.what == str(path)
        assert not re.search(
            r"0x[0-9a-f]{6}", bad.why
        )  # no memory addresses: the same file gives the same reason
