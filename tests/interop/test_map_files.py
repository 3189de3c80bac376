"""Maps that other tools saved: numbers pass, pictures of maps are refused with the reason, and nothing in them is run."""

import io
import pickle  # noqa: TID251 -- to show that it is not read
import zipfile
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from PIL import Image
from safetensors.torch import save_file

from xai_assets.errors import XaiError
from xai_assets.interop.map_files import MapFileError, SavedMap, list_maps, read_map_file
from xai_assets.interop.rendered import colour_map, white_margins
from xai_assets.interop.saved_arrays import MAX_VALUES, float_map, numpy_array

ROWS, COLUMNS = np.mgrid[0:48, 0:64]
MAP = np.exp(-(((ROWS - 20) / 9) ** 2 + ((COLUMNS - 40) / 12) ** 2)).astype(np.float32)


def read(path, channels=None):
    return read_map_file(SavedMap(path, (path.stem,)), channels)


def saved(path, array, **how):
    np.save(path, array, **how)
    return path


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "bool", ">f4"])
def test_numbers_of_any_type_are_read_as_they_are(tmp_path, dtype):
    values = (MAP * 100).astype(dtype)
    found = read(saved(tmp_path / "a.npy", values))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values.astype(np.float32))


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_does_not_matter(tmp_path, order):
    np.testing.assert_array_equal(read(saved(tmp_path / "a.npy", np.asarray(MAP, order=order))), MAP)


@pytest.mark.parametrize("shape", [(1, 48, 64), (1, 1, 48, 64), (48, 64, 1)])
def test_axes_of_batch_and_channel_go(tmp_path, shape):
    np.testing.assert_array_equal(read(saved(tmp_path / "a.npy", MAP.reshape(shape))), MAP)


@pytest.mark.parametrize("layout", ["chw", "hwc", "nchw"])
def test_values_of_each_channel_are_summed_where_the_study_says_so(tmp_path, layout):
    channels = np.stack([MAP, -MAP, 0.5 * MAP]) - 0.1
    array = {"chw": channels, "hwc": channels.transpose(1, 2, 0), "nchw": channels[None]}[layout]
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(MapFileError, match="one value for each colour channel"):
        read(path)
    np.testing.assert_allclose(read(path, "sum"), channels.sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(read(path, "absolute"), np.abs(channels).sum(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.stack([MAP] * 4), "a batch of 4 maps"),
        (MAP.ravel(), "no map of height and width"),
        (np.zeros((0, 5)), "it is empty"),
        (MAP.astype(complex), "complex128, no numbers"),
        (np.array([["a", "b"]]), "no numbers"),
        (np.zeros((4, 4), dtype=[("x", "f4")]), "no numbers"),
        (np.where(MAP > 0.9, np.nan, MAP), "not finite"),
        (np.full((4, 4), 1e300), "16 of its 16 values are not finite"),
    ],
)
def test_what_is_no_map_says_why(tmp_path, array, why):
    with pytest.raises(MapFileError, match=why):
        read(saved(tmp_path / "a.npy", array))


class _Runs:
    def __reduce__(self):
        return (pytest.fail, ("a file was run",))


def test_pickled_objects_are_not_run(tmp_path):
    objects = np.empty((2, 2), dtype=object)
    objects[:] = _Runs()
    with pytest.raises(MapFileError, match="pickled Python objects"):
        read(saved(tmp_path / "a.npy", objects, allow_pickle=True))
    (tmp_path / "b.npy").write_bytes(pickle.dumps(_Runs()))
    with pytest.raises(MapFileError, match=r"no \.npy file"):
        read(tmp_path / "b.npy")


def test_archives_cut_files_and_large_claims_are_refused_before_memory_is_taken(tmp_path):
    np.savez(tmp_path / "a.npz", MAP)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    assert zipfile.is_zipfile(tmp_path / "a.npy")
    with pytest.raises(MapFileError, match="archive"):
        read(tmp_path / "a.npy")
    whole = saved(tmp_path / "b.npy", MAP).read_bytes()
    (tmp_path / "c.npy").write_bytes(whole[:-8])
    with pytest.raises(MapFileError, match="it is cut"):
        read(tmp_path / "c.npy")
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f4", "fortran_order": False, "shape": (MAX_VALUES, 1000)}
    )
    (tmp_path / "d.npy").write_bytes(buffer.getvalue())
    with pytest.raises(MapFileError, match="more than"):
        read(tmp_path / "d.npy")


@given(st.binary(max_size=300))
def test_any_bytes_are_an_array_or_a_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "a.npy"
    for content in (data, b"\x93NUMPY\x01\x00" + data):
        path.write_bytes(content)
        with suppress(XaiError):
            assert float_map("a", numpy_array(path), None).ndim == 2


@pytest.mark.parametrize("name", ["jet", "viridis", "turbo", "inferno", "hot", "coolwarm"])
def test_rendered_colours_are_named_whatever_file_they_are_in(tmp_path, name):
    drawn = (colormaps[name](MAP)[..., :3] * 255).astype(np.uint8)
    Image.fromarray(drawn).save(tmp_path / "a.png")
    np.save(tmp_path / "b.npy", drawn)
    np.save(tmp_path / "c.npy", colormaps[name](MAP))  # RGBA, float64
    for file in ("a.png", "b.npy", "c.npy"):
        with pytest.raises(MapFileError, match=f"the colours of {name}: a rendered heat map"):
            read(tmp_path / file, "sum")


def test_an_overlay_is_no_map(tmp_path):
    photograph = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(float)
    overlay = 0.5 * photograph + 0.5 * colormaps["jet"](MAP)[..., :3] * 255
    Image.fromarray(overlay.astype(np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(MapFileError, match="an overlay on a photograph"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("axes", ["on", "off"])
@pytest.mark.parametrize("colours", ["gray", "jet"])
def test_figures_of_matplotlib_are_refused_for_their_margins(tmp_path, axes, colours):
    figure, axis = plt.subplots(figsize=(3, 2.4), dpi=80)
    axis.imshow(MAP, cmap=colours)
    axis.axis(axes)
    figure.savefig(tmp_path / "a.png")
    plt.close(figure)
    with pytest.raises(MapFileError, match="white margins of") as refused:
        read(tmp_path / "a.png")
    assert ("colours of jet" in str(refused.value)) == (colours == "jet")


def test_grey_files_are_read_in_all_their_bits(tmp_path):
    grey = (MAP * 255).round().astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), grey.astype(np.float32) / np.float32(255))
    plt.imsave(tmp_path / "b.png", grey, cmap="gray", vmin=0, vmax=255)  # RGBA, opaque
    np.testing.assert_allclose(read(tmp_path / "b.png"), read(tmp_path / "a.png"), atol=1.01 / 255)
    deep = (MAP * 65535).round().astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "c.png")
    np.testing.assert_array_equal(read(tmp_path / "c.png"), deep.astype(np.float32) / np.float32(65535))
    clear = np.stack([grey] * 3 + [grey], axis=2)
    Image.fromarray(clear).save(tmp_path / "d.png")
    with pytest.raises(MapFileError, match="transparent"):
        read(tmp_path / "d.png")


@given(st.integers(0, 2**32 - 1))
def test_a_smooth_map_has_no_margins_however_bright_its_border(seed):
    noise = np.random.default_rng(seed).normal(size=(7, 7))
    values = np.asarray(Image.fromarray(noise.astype(np.float32)).resize((64, 64), Image.Resampling.BILINEAR))
    bright = np.clip((values - values.min()) / np.ptp(values) * 1.8, 0, 1)
    for one in (values, bright, 1 - bright):
        scaled = (one - one.min()) / np.ptp(one)
        assert white_margins(np.round(scaled * 255).astype(np.uint8)) is None


def test_colours_of_no_colour_map_have_no_name():
    assert colour_map(np.random.default_rng(0).integers(0, 255, (30, 30, 3), dtype=np.uint8)) is None
    assert colour_map(np.zeros((3, 3, 3), dtype=np.uint8)) is None


def test_a_folder_and_a_file_of_tensors_say_names(tmp_path):
    (tmp_path / "dog").mkdir()
    for name in ("cat.npy", "dog/cat.png", ".hidden.npy", "cat.jpg", "cat.pt"):
        (tmp_path / name).touch()
    save_file({"map": torch.from_numpy(MAP)}, tmp_path / "bird.safetensors")
    save_file(
        {"a.jpg": torch.from_numpy(MAP), "b.dog": torch.from_numpy(2 * MAP).half()},
        tmp_path / "all.safetensors",
    )
    maps, others = list_maps(tmp_path)
    assert {name for one in maps for name in one.names} == {
        "cat", "dog/cat", "bird", "a.jpg", "all.a.jpg", "b.dog", "all.b.dog",
    }  # fmt: skip
    assert others == ["cat.jpg", "cat.pt"]
    alone, _ = list_maps(tmp_path / "all.safetensors")
    np.testing.assert_array_equal(read_map_file(alone[0]), MAP)
    np.testing.assert_array_equal(read_map_file(alone[1]), (2 * MAP).astype(np.float16).astype(np.float32))
    with pytest.raises(MapFileError, match="no such folder of maps"):
        list_maps(tmp_path / "nowhere")
