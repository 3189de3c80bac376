"""Network Dissection against a slow transcription and on maps whose IoU is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.dissection.label_segments import LabelSegments, read_labels
from xai_assets.dissection.layer_activations import LayerActivations
from xai_assets.dissection.netdissect import paired_tallies, tally
from xai_assets.dissection.probe import ArrayProbe, ProbeError
from xai_assets.dissection.resampling import interpolation, on_pixels
from xai_assets.dissection.sparse_maps import SparseMaps
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
        over = torch.from_numpy(maps[i : i + 1].astype(np.float64) - thresholds[:, None, None])
        fine = torch.nn.functional.interpolate(over, size, mode="bilinear", align_corners=False)[0].numpy()
        masks.append((fine > 0).reshape(len(fine), -1))
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


def layer_of(maps, floors=None):
    maps = np.asarray(maps, np.float32)
    return LayerActivations(
        "map", maps.mean((2, 3)), maps.max((2, 3)), maps.min((2, 3)), SparseMaps.of_dense(maps, floors)
    )


def count(maps, levels, probe, **more):
    return tally(
        {name: SparseMaps.of_dense(m) for name, m in maps.items()}, levels, read_labels(probe), **more
    )


@pytest.mark.parametrize("seed", range(4))
def test_iou_is_that_of_the_plain_sums(seed):
    rng = np.random.default_rng(seed)
    probe = make_probe(seed)
    maps = {
        "a": rng.normal(size=(12, 6, 4, 3)).astype(np.float32),
        "b": rng.normal(size=(12, 3, 7, 5)).astype(np.float32),
    }
    levels = {name: top_quantile_thresholds(layer_of(values), 0.05) for name, values in maps.items()}
    kept = {name: SparseMaps.of_dense(maps[name], levels[name] - np.float32(0.1)) for name in maps}
    found = tally(kept, levels, read_labels(probe))
    for name in maps:
        np.testing.assert_allclose(found[name].iou, slow_iou(maps[name], levels[name], probe), rtol=1e-12)
        assert (found[name].iou <= found[name].attainable_iou).all()


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 4]), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_counts_are_exact_on_ties_and_plateaus(seed, scale, level):
    # Small whole numbers and dyadic weights: every sum is exact in float32, so that a tie is a tie.
    rng = np.random.default_rng(seed)
    maps = rng.integers(-1, 4, (12, 3, 4, 3)).astype(np.float32)
    probe = make_probe(seed, size=(4 * scale, 3 * scale))
    levels = np.full(3, level, np.float32)
    found = tally({"l": SparseMaps.of_dense(maps, levels)}, {"l": levels}, read_labels(probe))["l"]
    np.testing.assert_array_equal(found.iou, slow_iou(maps, levels, probe))


def test_a_saturated_unit_is_off_at_its_ceiling():
    level = np.float32(0.7)  # not exact in binary: weighted means of it need not be it again
    cells = np.full((1, 5, 5), level)
    assert not len(on_pixels(cells, np.array([level]), (37, 41), np.array([0, 0, 1, 1]))[0])


def test_a_pairing_meets_the_labels_of_another_image():
    rng = np.random.default_rng(3)
    maps = rng.normal(size=(12, 5, 4, 3)).astype(np.float32)
    levels = {"l": top_quantile_thresholds(layer_of(maps), 0.1)}
    probe = make_probe(3)
    pairings = np.stack([np.arange(12), rng.permutation(12), rng.permutation(12)])
    found = paired_tallies({"l": SparseMaps.of_dense(maps)}, levels, read_labels(probe), pairings)["l"]
    for row, tallied in zip(pairings, found, strict=True):
        order = np.argsort(row)  # the maps, in the order of the labels that they meet
        np.testing.assert_allclose(tallied.iou, slow_iou(maps[order], levels["l"], probe), rtol=1e-12)


def test_pairings_go_through_sizes_and_crops():
    rng = np.random.default_rng(4)
    sizes = [(16, 12), (10, 10), (16, 12), (8, 20)]
    labels = [{"object": rng.choice([0, 1, 2], (1, *size)).astype(np.uint16)} for size in sizes]
    probe = ArrayProbe([np.zeros((8, 8, 3), np.uint8)] * 4, labels, CONCEPTS)
    boxes = np.array([[0, 0, 1, 1], [0.2, 0, 0.8, 1], [0, 0.25, 1, 0.75], [0, 0, 1, 1]], np.float32)
    maps = rng.normal(size=(4, 3, 4, 4)).astype(np.float32)
    levels = {"l": np.zeros(3, np.float32)}
    row = np.array([2, 0, 3, 1])
    found = paired_tallies(
        {"l": SparseMaps.of_dense(maps)}, levels, read_labels(probe), row[None], boxes=boxes
    )
    order = np.argsort(row)
    expected = tally({"l": SparseMaps.of_dense(maps[order])}, levels, read_labels(probe), boxes=boxes)["l"]
    np.testing.assert_array_equal(found["l"][0].both, expected.both)
    np.testing.assert_array_equal(found["l"][0].unit, expected.unit)


def test_labels_are_the_same_from_an_artifact():
    probe = make_probe(5)
    labels = read_labels(probe)
    again = LabelSegments.from_arrays(labels.to_arrays(), probe.concepts)
    maps = {"l": SparseMaps.of_dense(np.random.default_rng(5).normal(size=(12, 2, 4, 4)))}
    levels = {"l": np.zeros(2, np.float32)}
    np.testing.assert_array_equal(tally(maps, levels, again)["l"].both, tally(maps, levels, labels)["l"].both)


def test_many_overlapping_maps_do_not_run_over():
    planes = np.random.default_rng(6).integers(1, 10, (30, 6, 6)).astype(np.uint16)  # 9^30 combinations
    concepts = pd.DataFrame({"number": range(1, 10), "name": list("abcdefghi"), "category": "object"})
    labels = read_labels(ArrayProbe([np.zeros((6, 6, 3), np.uint8)], [{"object": planes}], concepts))
    columns, carries = labels.membership(0)
    shown = carries[labels.segments(0, np.array([0, 0, 1, 1]))]  # rows columns p
    for at, column in enumerate(columns):
        np.testing.assert_array_equal(shown[..., at], (planes == column + 1).any(0))


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
    found = count({"layer": maps}, {"layer": np.full(3, 0.5, np.float32)}, probe)["layer"]
    np.testing.assert_allclose(found.iou[:, 0], [1.0, 0.5, 0.25])
    np.testing.assert_allclose(found.attainable_iou[:, 0], [1.0, 0.5, 0.25])
    assert found.coverage[0] == 0.25 and found.coverage[2] == 0


def test_only_images_that_show_the_category_count():
    label = np.full((1, 4, 4), 5, np.uint16)
    probe = ArrayProbe([np.zeros((4, 4, 3), np.uint8)] * 2, [{"part": label}, {}], CONCEPTS)
    maps = np.ones((2, 1, 2, 2), np.float32)
    found = count({"layer": maps}, {"layer": np.zeros(1, np.float32)}, probe)["layer"]
    assert found.iou[0, 2] == 1.0  # the unlabelled image is no evidence against the unit


def test_what_the_model_did_not_see_does_not_count():
    label = np.zeros((1, 8, 8), np.uint16)
    label[0, 2:6, 2:6] = 1
    probe = ArrayProbe([np.zeros((16, 16, 3), np.uint8)], [{"object": label}], CONCEPTS)
    maps = np.ones((1, 1, 3, 3), np.float32)
    boxes = np.array([[0.25, 0.25, 0.75, 0.75]], np.float32)  # a centre crop
    found = count({"layer": maps}, {"layer": np.zeros(1, np.float32)}, probe, boxes=boxes)["layer"]
    assert found.iou[0, 0] == 1.0 and found.unit[0, 0] == 16


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=40)
def test_resampling_is_torchs_bilinear(length, count, seed):
    values = np.random.default_rng(seed).normal(size=(1, 1, length)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values), count, mode="linear", align_corners=False
    )
    found = interpolation(length, count)
    np.testing.assert_allclose(values[0, 0] @ found.matrix.T, expected[0, 0], atol=1e-5)
    assert found.covered == slice(0, count) and (found.matrix >= 0).all()


def test_a_cropped_map_lies_where_the_crop_was():
    found = interpolation(2, 8, 0.25, 0.75)
    assert found.covered == slice(2, 6)
    np.testing.assert_allclose(found.matrix[:, 1], [0, 0.25, 0.75, 1])


def test_unfit_labels_are_named():
    images, maps = [np.zeros((8, 8, 3), np.uint8)], {"l": np.ones((1, 1, 2, 2), np.float32)}
    levels = {"l": np.zeros(1, np.float32)}
    unlisted = ArrayProbe(images, [{"object": np.full((1, 8, 8), 3, np.uint16)}], CONCEPTS, ids=["a.png"])
    with pytest.raises(ProbeError, match=r"a\.png.*number 3 names no concept"):
        read_labels(unlisted)
    other = ArrayProbe(
        images,
        [{"object": np.full((1, 8, 8), 1, np.uint16), "part": np.full((1, 4, 4), 5, np.uint16)}],
        CONCEPTS,
    )
    with pytest.raises(ProbeError, match="part labels"):
        read_labels(other)
    with pytest.raises(ProbeError, match="no labels"):
        read_labels(ArrayProbe(images))
    with pytest.raises(XaiError, match="1 images, the probe of 2"):
        count(maps, levels, ArrayProbe(images * 2, [{}, {}], CONCEPTS))
