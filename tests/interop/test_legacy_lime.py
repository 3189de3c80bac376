"""The older tool's parameters: what it ran is what is carried over, and the rest is named."""

import pickle  # noqa: TID251 -- the tests make the files

import pytest

from xai_assets.attribution.parameters import Felzenszwalb, Grid, Lasso, LimeParameters, Quickshift, Slic
from xai_assets.interop.legacy_lime import LegacyLimeError, convert, match_images, read_legacy_lime
from xai_assets.interop.plain_pickle import PickleRefused

LIBRARY_DEFAULTS = {
    "labels": None, "top_labels": 1, "hide_color": 0, "num_features": 100000, "num_samples": 1000, "batch_size": 10,
    "segmentation_fn": None, "distance_metric": "cosine", "model_regressor": None, "random_seed": None,
}  # fmt: skip


def one(**arguments):
    found = convert({"a": {**LIBRARY_DEFAULTS, **arguments}}, source="x.pkl")
    assert not found.refused
    return found.parameters["a"]


def test_the_reference_file_is_read(reference_data):
    found = read_legacy_lime(reference_data / "lime_params" / "same_for_all.pkl")
    assert len(found.parameters) == 10
    assert not found.refused
    assert set(found.parameters.values()) == {
        LimeParameters(
            segmentation=Quickshift(kernel_size=4, max_dist=200, ratio=0.2),
            num_samples=1000, num_features=None, hide_color=(0, 0, 0), batch_size=10, top_labels=1,
        )
    }  # fmt: skip
    assert found.notes == ()
    images = [path.name for path in (reference_data / "images").iterdir()]
    matched, unmatched = match_images(found.parameters, images)
    assert not unmatched
    assert sorted(matched.values()) == sorted(images)
    assert matched["goldfish"] == "n01443537_goldfish.JPEG"


@pytest.mark.parametrize(
    ("value", "meant"),
    [(None, "mean"), (0, (0, 0, 0)), (128, (128, 128, 128)), ([1, 2, 3], (1, 2, 3)), ("blur", "blur")],
)
def test_hide_color_means_what_it_meant(value, meant):
    assert one(hide_color=value).hide_color == meant


def test_the_surrogates_arguments_are_carried_over():
    found = one(model_regressor="lasso", distance_metric="l2", feature_selection="lasso_path", top_labels=3)
    assert (found.model_regressor, found.distance_metric) == (Lasso(), "l2")
    assert (found.feature_selection, found.top_labels) == ("lasso_path", 3)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ({}, Quickshift()),
        ({"segmentation_alg": "quickshift"}, Quickshift(kernel_size=5, max_dist=10, ratio=1.0)),
        ({"segmentation_alg": "slic", "n_segments": 50}, Slic(n_segments=50, compactness=10, sigma=0)),
        ({"segmentation_fn": {"algo_type": "felzenszwalb", "scale": 9}}, Felzenszwalb(scale=9, sigma=0.8, min_size=20)),
        ({"segmentation": {"name": "grid", "rows": 4}}, Grid(rows=4)),
        ({"kernel_size": 2, "max_dist": 50}, Quickshift(kernel_size=2, max_dist=50)),
    ],
)  # fmt: skip
def test_segmentations_have_the_defaults_of_what_ran_them(arguments, meant):
    assert one(**arguments).segmentation == meant


def test_the_defaults_are_those_of_the_libraries():
    import inspect

    from skimage import segmentation

    for name, kind in (("quickshift", Quickshift), ("slic", Slic), ("felzenszwalb", Felzenszwalb)):
        theirs = inspect.signature(getattr(segmentation, name)).parameters
        ours = one(segmentation_alg=name).segmentation
        assert all(
            getattr(ours, field) == theirs[field].default for field in kind.model_fields if field != "name"
        )


def test_unknown_keys_and_those_of_the_study_are_named_once():
    content = {name: {**LIBRARY_DEFAULTS, "num_sample": 5, "random_seed": 7} for name in "abcde"}
    content["a"] = {**content["a"], "n_segments": 9}
    found = convert(content, source="x")
    assert len(found.parameters) == 5
    text = "\n".join(found.notes)
    assert "num_sample: unknown, not carried over (all images)" in text
    assert "random_seed=7" in text
    assert "n_segments: not a parameter of quickshift, not carried over (a)" in text
    assert len(found.notes) == 3


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"num_samples": -1}, "num_samples: "),
        ({"num_samples": "many"}, "num_samples: "),
        ({"hide_color": 300}, "hide_color"),
        ({"segmentation_alg": "watershed"}, "none of slic, quickshift, felzenszwalb, grid"),
        ({"segmentation_alg": ["slic"]}, "none of"),
        ({"distance_metric": "no such"}, "distance_metric"),
        ({"model_regressor": "no such"}, "model_regressor"),
    ],
)
def test_a_bad_image_is_named_and_does_not_stop_the_others(arguments, why):
    found = convert({"bad": {**LIBRARY_DEFAULTS, **arguments}, "good": LIBRARY_DEFAULTS}, source="x")
    assert list(found.parameters) == ["good"]
    assert why in found.refused["bad"]


@pytest.mark.parametrize("empty", [{}, None, 3])
def test_an_image_without_parameters_is_named(empty):
    assert "no parameters" in convert({"a": empty, "b": LIBRARY_DEFAULTS}, source="x").refused["a"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "holds a list"),
        ({}, "no image"),
        (LIBRARY_DEFAULTS, "one set of parameters"),
        ("x", "holds a str"),
    ],
)
def test_other_plain_data_is_refused_by_what_it_is(content, why, tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(LegacyLimeError, match=why):
        read_legacy_lime(path)


def test_an_empty_or_absent_file_is_named(tmp_path):
    path = tmp_path / "empty.pkl"
    path.touch()
    with pytest.raises(PickleRefused, match=r"empty\.pkl: the file is empty"):
        read_legacy_lime(path)
    with pytest.raises(LegacyLimeError, match="no such file"):
        read_legacy_lime(tmp_path / "absent.pkl")


def test_names_match_by_file_stem_or_label_and_never_by_guess():
    images = ["n01_cat.JPEG", "n02_cat.JPEG", "n03_dog.JPEG", "bird.png", "n_x.png"]
    found, unmatched = match_images(["cat", "dog", "bird", "bird.png", "n02_cat", "x", "cow"], images)
    assert found == {
        "dog": "n03_dog.JPEG",
        "bird": "bird.png",
        "bird.png": "bird.png",
        "n02_cat": "n02_cat.JPEG",
    }
    assert unmatched == {
        "cat": "means n01_cat.JPEG and n02_cat.JPEG", "x": "is no image of the study",
        "cow": "is no image of the study",
    }  # fmt: skip
