"""Pictures of every kind that people have, and files that are none."""

import io
import os
import re
import struct
import subprocess
import sys
import unicodedata
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin

from xai_assets.vision.images import ImageError, list_folder, load_images, read_folder, read_image

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
        ("text.jpg", "not an image"),
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
    with pytest.raises(ImageError, match="several frames"):
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
    with pytest.raises(ImageError, match="not an image"):
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
    for folder, why in [(tmp_path, "no image files"), (tmp_path / "absent", "no such folder")]:
        with pytest.raises(ImageError, match=why):
            read_folder(folder)


def test_the_photographs_of_the_reference_are_read(reference_data: Path) -> None:
    images, quarantined = load_images(read_folder(reference_data / "images"))
    assert len(images) == 10
    assert not quarantined
    for image in images:
        with Image.open(image.path) as foreign:
            assert np.array_equal(image.pixels, np.array(foreign.convert("RGB")))


@settings(deadline=None)
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


def tiff_of_pages(count: int, last: int = 0) -> bytes:
    """A chain of `count` pages of one pixel; the last one refers to `last`."""
    out = bytearray(b"II*\0\x08\0\0\0")
    for page in range(count):
        following = last if page == count - 1 else len(out) + 54
        tags = ((256, 1), (257, 1), (259, 1), (273, 8))
        out += struct.pack("<H", 4) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        out += struct.pack("<I", following)
    return bytes(out)


def many_frames(suffix: str, count: int) -> bytes:
    if suffix == "tif":
        return tiff_of_pages(count)
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("red", "blue", "white")]
    buffer = io.BytesIO()
    frames[0].save(buffer, suffix.upper(), save_all=True, append_images=frames[1:])
    data = buffer.getvalue()
    if suffix != "gif":
        return data
    frame = data[data.rindex(b"!\xf9") : -1]
    return data[:-1] + frame * count + b";"


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp", "avif"])
def test_of_many_frames_only_the_second_is_looked_for(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow counts the pages of a TIFF file in quadratic time, and the frames of a GIF one by one."""
    (tmp_path / f"a.{suffix}").write_bytes(many_frames(suffix, 3000))
    seeks: list[int] = []
    for plugin in ("TiffImagePlugin.TiffImageFile", "GifImagePlugin.GifImageFile"):
        module, name = plugin.split(".")
        kind = getattr(__import__(f"PIL.{module}", fromlist=[name]), name)
        seek = kind._seek
        monkeypatch.setattr(
            kind, "_seek", lambda self, frame, *more, _of=seek: seeks.append(frame) or _of(self, frame, *more)
        )
    with pytest.raises(ImageError, match="several frames"):
        read_image(tmp_path / f"a.{suffix}")
    assert max(seeks, default=0) <= 1
    assert len(seeks) < 10


def test_a_page_that_refers_to_itself_is_one_page(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff_of_pages(1, last=8))
    assert read_image(tmp_path / "a.tif").pixels.shape == (1, 1, 3)


_TOO_LITTLE = """
import re, resource, sys
from xai_assets.vision.images import load_images
size = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + 60 * 2**20,) * 2)
for path in sys.argv[1:]:
    try:
        print(load_images([path]))
    except MemoryError as error:
        print("too little memory" if "decoding 3000 x 3000 pixels" in str(error) and path in str(error) else error)
"""


def test_too_little_memory_is_not_damage(tmp_path: Path) -> None:
    """A whole image that the memory is too small for neither leaves the study nor is called damaged."""
    image = Image.new("L", (3000, 3000))
    names = [
        str(save(tmp_path / f"a.{suffix}", image, **options))
        for suffix, options in {
            "png": {}, "jpg": {}, "jp2": {}, "tif": {"compression": "tiff_lzw"}, "gif": {}, "bmp": {}, "ppm": {},
            "webp": {"lossless": True, "method": 0}, "avif": {"speed": 10},
        }.items()
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _TOO_LITTLE, *names], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["too little memory"] * len(names), done.stderr


def test_damaged_fax_strips_are_noticed_and_nothing_is_written_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """libtiff reports such damage on descriptor 2, fills the rest and goes on."""
    rng = np.random.default_rng(0)
    path = save(
        tmp_path / "a.tif",
        Image.fromarray(rng.integers(0, 256, (40, 40), np.uint8)).convert("1"),
        compression="group4",
    )
    whole = path.read_bytes()
    assert read_image(path).pixels.shape == (40, 40, 3)
    noticed = 0
    for at in range(20, 200, 6):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        path.write_bytes(damaged)
        try:
            read_image(path)
        except ImageError:
            noticed += 1
    assert noticed > 20
    assert capfd.readouterr().err == ""


def test_a_long_comment_and_a_colour_profile_do_not_matter(tmp_path: Path) -> None:
    """Pillow refuses a PNG whose comment is longer than a megabyte, and calls it an unknown format."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "A" * (3 << 20), zip=True)
    note.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    path = save(tmp_path / "a.png", picture(size=(6, 4)), pnginfo=note, icc_profile=b"x" * 3000)
    read = read_image(path)
    assert read.pixels.shape == (6, 4, 3)  # upright, as its XMP says


@pytest.mark.parametrize(
    ("bits", "told"), [(8, True), (10, True), (12, True), (14, True), (15, False), (16, False)]
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_fewer_bits_in_sixteen_are_told(tmp_path: Path, bits: int, told: bool, suffix: str) -> None:
    values = np.linspace(0, 2**bits - 1, 400).reshape(20, 20).astype(np.uint16)
    read = read_image(save(tmp_path / f"a.{suffix}", Image.fromarray(values)))
    assert bool(read.notes) is told
    if told:
        assert f"{bits}-bit values in a 16-bit file" in read.notes[0]
        assert f"multiply them by {2 ** (16 - bits)}" in read.notes[0]


def test_sixteen_bits_of_colour_with_twelve_in_use_are_told(tmp_path: Path) -> None:
    """Pillow has no such mode, and keeps the upper 8 bits."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for largest, told in ((4095, True), (65535, False)):
        rows = np.linspace(0, largest, 5 * 4 * 3).astype(">u2").reshape(5, 12)
        body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 5, 16, 2, 0, 0, 0))
        path = tmp_path / f"{largest}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b""))
        assert any("12-bit" in note for note in read_image(path).notes) is told


def test_a_suffix_of_another_format_is_told_and_the_image_is_read(tmp_path: Path) -> None:
    data = save(tmp_path / "a.png", picture()).read_bytes()
    (tmp_path / "b.jpg").write_bytes(data)
    assert read_image(tmp_path / "a.png").notes == ()
    assert (
        read_image(tmp_path / "b.jpg").notes[0].startswith("its content is PNG and its suffix .jpg says JPEG")
    )


ODD_NAMES = [
    b"caf\xe9.png",
    b"a\nb.png",
    b"a\tb.png",
    b"\xe2\x80\xaegnp.png",
    b"a;b.png",
    b"\x1b[31m.png",
    b"\xc2\x9b.png",
]


def test_odd_names_become_ids_that_can_be_shown_and_stay_different(tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(save(tmp_path / "x.png", picture()).read_bytes())
    (tmp_path / r"caf\xe9.png").write_bytes((tmp_path / "x.png").read_bytes())  # as the first is shown
    images, quarantined = load_images(read_folder(tmp_path))
    ids = [image.id for image in images]
    assert len(set(ids)) == len(ids) == len(ODD_NAMES) + 1
    assert {r"caf\xe9.png", r"a\nb.png", "a;b.png", r"\u202egnp.png"} <= set(ids)
    assert not any(unicodedata.category(letter).startswith("C") for name in ids for letter in name)
    assert "taken" in quarantined[0].why
    quarantined[0].what.encode()


def test_what_else_is_in_a_folder_is_named_with_its_reason(tmp_path: Path) -> None:
    """Pipes, links to nothing and folders that are named like images, other formats, and images in folders below."""
    save(tmp_path / "a.png", picture())
    (tmp_path / "scan.heic").write_bytes(b"x")
    (tmp_path / "README").write_text("x")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for name in ("sub/1.jpg", "sub/deep/2.jpg", "sub/notes.txt", "sub/.3.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.png")
    found = list_folder(tmp_path)
    assert [path.name for path in found.images] == ["a.png"]
    assert {one.name: one.why for one in found.left_out} == {
        "README": "it has no suffix, so it is not read",
        "folder.png": "it is a folder, not a regular file",
        "gone.png": "it is a link that leads nowhere, not a regular file",
        "pipe.png": "it is a named pipe, not a regular file",
        "scan.heic": "files of the suffix .heic are not read",
        "sub/1.jpg": "it is in a folder below",
        "sub/deep/2.jpg": "it is in a folder below",
    }
    (tmp_path / "a.png").unlink()
    with pytest.raises(ImageError, match=r"no image files; beside them README .* and 4 more"):
        list_folder(tmp_path)


def test_what_pillow_logs_of_an_image_is_not_written_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = save(tmp_path / "a.tif", picture())
    path.write_bytes(
        path.read_bytes().replace(struct.pack("<HHII", 277, 3, 1, 3), struct.pack("<HHII", 277, 3, 1, 999))
    )
    with pytest.raises(ImageError):
        read_image(path)
    assert capfd.readouterr().err == ""
    assert caplog.records == []


@settings(deadline=None)
@given(st.integers(0, 2**20), st.binary(max_size=3))
def test_any_damage_to_a_tiff_is_an_image_or_an_image_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes
) -> None:
    """Its directory holds offsets and counts that a file can choose freely."""
    buffer = io.BytesIO()
    picture().save(buffer, "TIFF", compression="tiff_lzw")
    data = bytearray(buffer.getvalue())
    at %= len(data)
    data[at : at + len(damage)] = damage
    path = tmp_path_factory.getbasetemp() / "damaged.tif"
    path.write_bytes(data)
    images, quarantined = load_images([path], max_pixels=10_000)
    assert len(images) + len(quarantined) == 1


def progressive(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there many times."""
    buffer = io.BytesIO()
    picture(size=(64, 64)).save(buffer, "JPEG", progressive=True, exif=b"Exif\0\0" + b"\xff\xda" * 200)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def test_a_jpeg_has_a_limit_of_scans_and_segments(tmp_path: Path) -> None:
    """A scan of a hundred bytes goes over all pixels; what looks like one in the metadata does not count."""
    (tmp_path / "a.jpg").write_bytes(progressive(1))
    assert read_image(tmp_path / "a.jpg").pixels.shape == (64, 64, 3)
    (tmp_path / "b.jpg").write_bytes(progressive(120))
    with pytest.raises(ImageError, match="more than 100 scans"):
        read_image(tmp_path / "b.jpg")
    exif = b"\xff\xe1\x00\x0aExif\0\0xx"
    for count, said in ((900, None), (1100, "more than 1000 segments")):
        (tmp_path / "c.jpg").write_bytes(b"\xff\xd8" + exif * count + progressive(1)[2:])
        if said is None:
            assert read_image(tmp_path / "c.jpg").pixels.shape == (64, 64, 3)
        else:
            with pytest.raises(ImageError, match=said):
                read_image(tmp_path / "c.jpg")


@pytest.mark.parametrize(
    "error", [MemoryError("1 EiB"), OSError("out of memory error when reading image file")]
)
def test_a_file_that_claims_more_memory_than_its_pixels_need_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Else one crafted file would end the study: memory is there, and the other images need no more."""
    path = save(tmp_path / "a.png", picture())

    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fails)
    with pytest.raises(ImageError, match="truncated or damaged"):
        read_image(path)


def test_a_header_of_billions_of_pixels_is_said_in_our_words_first(tmp_path: Path) -> None:
    """Pillow raises before it says the size."""
    path = tmp_path / "huge.gif"
    path.write_bytes(
        b"GIF89a\xff\xff\xff\xff\xf0\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;"
    )
    with pytest.raises(ImageError, match=r"huge\.gif: its header claims too many pixels"):
        read_image(path)
