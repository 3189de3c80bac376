"""Network Dissection against a slow transcription and on maps whose IoU is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.probe import ArrayProbe, ProbeError
from xai_assets.dissection.resampling import resampling_matrix
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.errors import XaiError

CONCEPTS = pd.DataFrame(
    {
        "number": [1, 2, 5, 7, 9],
        "name": ["bird", "car", "wing", "red", "beach"],
        "category": ["object", "object", "part", "color", "scene"],
    }
)


def make_probe(seed, count=12, size=(16, 12)):
    rng = np.random.default_rng(seed)
    labels = []
    for _ in range(count):
        found = {
            "object": rng.choice([0, 1, 2], (2, *size), p=[0.7, 0.2, 0.1]).astype(np.uint16),
            "part": rng.choice([0, 5], (1, *size), p=[0.8, 0.2]).astype(np.uint16),
            "color": rng.choice([0, 7], (1, *size)).astype(np.uint16),
            "scene": np.full((1, 1, 1), 9, np.uint16),
        }
        for category in list(found):
            if rng.random() < 0.4:
                del found[category]
        labels.append(found)
    images = [np.zeros((32, 24, 3), np.uint8)] * count
    return ArrayProbe(images, labels, CONCEPTS, label_sizes=[size] * count)


def slow_iou(maps, thresholds, probe):
    """The published sums in matrix form: masks M (u, pixels of all images), labels L (c, pixels of all images)."""
    masks, labels = [], []
    for i in range(len(probe)):
        size = probe.label_size(i)
        fine = torch.nn.functional.interpolate(
            torch.from_numpy(maps[i : i + 1]).float(), size, mode="bilinear", align_corners=False
        )[0].numpy()
        masks.append((fine > thresholds[:, None, None]).reshape(len(fine), -1))
        planes = np.concatenate(
            [np.broadcast_to(a, (len(a), *size)) for a in probe.labels(i).values()]
            or [np.zeros((1, *size), np.uint16)]
        )
        labels.append(np.stack([(planes == n).any(0).ravel() for n in CONCEPTS["number"]]))
    iou = np.zeros((maps.shape[1], len(CONCEPTS)))
    for c, category in enumerate(CONCEPTS["category"]):
        of_category = (CONCEPTS["category"] == category).to_numpy()
        shown = [i for i in range(len(probe)) if labels[i][of_category].any()]
        if shown:
            m = np.concatenate([masks[i] for i in shown], 1)
            t = np.concatenate([labels[i][c] for i in shown])
            iou[:, c] = (m & t).sum(1) / np.maximum((m | t).sum(1), 1)
    return iou


@pytest.mark.parametrize("seed", range(4))
def test_iou_is_that_of_the_plain_sums(seed):
    rng = np.random.default_rng(seed)
    probe = make_probe(seed)
    maps = {
        "a": rng.normal(size=(12, 6, 4, 3)).astype(np.float16),
        "b": rng.normal(size=(12, 3, 7, 5)).astype(np.float32),
    }
    levels = {name: top_quantile_thresholds(values, 0.05) for name, values in maps.items()}
    found = tally(maps, levels, probe)
    for name in maps:
        np.testing.assert_allclose(found[name].iou, slow_iou(maps[name], levels[name], probe), rtol=1e-12)
        assert (found[name].iou <= found[name].attainable_iou).all()


def test_a_planted_unit_has_iou_one_and_a_half_covering_one_a_half():
    label = np.zeros((1, 8, 8), np.uint16)
    label[0, :4] = 1
    images = [np.zeros((16, 16, 3), np.uint8)] * 2
    probe = ArrayProbe(
        images, [{"object": label}, {"object": np.where(label > 0, 0, 2).astype(np.uint16)}], CONCEPTS
    )
    maps = np.zeros((2, 3, 8, 8), np.float32)
    maps[0, 0, :4] = 1  # exactly the bird
    maps[0, 1, :2] = 1  # half of it
    maps[:, 2] = 1  # everywhere
    found = tally({"layer": maps}, {"layer": np.full(3, 0.5, np.float32)}, probe)["layer"]
    np.testing.assert_allclose(found.iou[:, 0], [1.0, 0.5, 0.25])
    np.testing.assert_allclose(found.attainable_iou[:, 0], [1.0, 0.5, 0.25])
    assert found.coverage[0] == 0.25 and found.coverage[2] == 0


def test_only_images_that_show_the_category_count():
    label = np.full((1, 4, 4), 5, np.uint16)
    probe = ArrayProbe([np.zeros((4, 4, 3), np.uint8)] * 2, [{"part": label}, {}], CONCEPTS)
    maps = np.ones((2, 1, 2, 2), np.float32)
    found = tally({"layer": maps}, {"layer": np.zeros(1, np.float32)}, probe)["layer"]
    assert found.iou[0, 2] == 1.0  # the unlabelled image is no evidence against the unit


def test_what_the_model_did_not_see_does_not_count():
    label = np.zeros((1, 8, 8), np.uint16)
    label[0, 2:6, 2:6] = 1
    probe = ArrayProbe([np.zeros((16, 16, 3), np.uint8)], [{"object": label}], CONCEPTS)
    maps = np.ones((1, 1, 3, 3), np.float32)
    boxes = np.array([[0.25, 0.25, 0.75, 0.75]], np.float32)  # a centre crop
    found = tally({"layer": maps}, {"layer": np.zeros(1, np.float32)}, probe, boxes=boxes)["layer"]
    assert found.iou[0, 0] == 1.0 and found.unit[0, 0] == 16


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=40)
def test_resampling_is_torchs_bilinear(length, count, seed):
    values = np.random.default_rng(seed).normal(size=(1, 1, length)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values), count, mode="linear", align_corners=False
    )
    matrix, covered = resampling_matrix(length, count)
    np.testing.assert_allclose(values[0, 0] @ matrix.T, expected[0, 0], atol=1e-5)
    assert covered.all() and (matrix >= 0).all()


def test_a_cropped_map_lies_where_the_crop_was():
    matrix, covered = resampling_matrix(2, 8, 0.25, 0.75)
    assert covered.tolist() == [False, False, True, True, True, True, False, False]
    np.testing.assert_allclose(matrix[2:6, 1], [0, 0.25, 0.75, 1])


@given(st.integers(1, 30), st.integers(1, 4), st.sampled_from([0.005, 0.05, 0.3]))
@settings(max_examples=40)
def test_at_most_the_quantile_lies_above_the_threshold(count, side, quantile):
    maps = np.random.default_rng(count).random((count, 3, side, side)).astype(np.float32)
    above = (maps > top_quantile_thresholds(maps, quantile)[:, None, None]).sum((0, 2, 3))
    assert (above == int(quantile * count * side * side + 1e-9)).all()  # no ties in these


def test_a_rare_unit_has_threshold_zero():
    maps = np.zeros((100, 1, 2, 2), np.float16)
    maps[0, 0, 0, 0] = 3
    assert top_quantile_thresholds(maps)[0] == 0
    with pytest.raises(XaiError, match="quantile"):
        top_quantile_thresholds(maps, 1.5)


def test_unfit_labels_are_named():
    images, maps = [np.zeros((8, 8, 3), np.uint8)], {"l": np.ones((1, 1, 2, 2), np.float32)}
    levels = {"l": np.zeros(1, np.float32)}
    unlisted = ArrayProbe(images, [{"object": np.full((1, 8, 8), 3, np.uint16)}], CONCEPTS, ids=["a.png"])
    with pytest.raises(ProbeError, match=r"a\.png.*number 3 names no concept"):
        tally(maps, levels, unlisted)
    other = ArrayProbe(
        images,
        [{"object": np.full((1, 8, 8), 1, np.uint16), "part": np.full((1, 4, 4), 5, np.uint16)}],
        CONCEPTS,
    )
    with pytest.raises(ProbeError, match="part labels"):
        tally(maps, levels, other)
    with pytest.raises(ProbeError, match="no labels"):
        tally(maps, levels, ArrayProbe(images))
    with pytest.raises(XaiError, match="1 images, the probe of 2"):
        tally(maps, levels, ArrayProbe(images * 2, [{}, {}], CONCEPTS))
