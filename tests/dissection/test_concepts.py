"""The tables of both methods, on units whose concept is known."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.dissection.clip_dissect import LayerConcepts
from xai_assets.dissection.concepts import clip_table, netdissect_table
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.presence import WordTruth, word_truth
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.significance import Significance
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.unit_concepts import CLIP_TABLE
from xai_assets.errors import XaiError

CONCEPTS = pd.DataFrame(
    {
        "number": [1, 2, 3],
        "name": ["car", "sand", "sand"],
        "category": ["object", "object", "material"],
        "synonyms": [("auto",), (), ()],
    }
)


def found(scores, null, ranked=None):
    order = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    ranked = np.ones(len(scores), bool) if ranked is None else np.array(ranked)
    return LayerConcepts(order, np.take_along_axis(scores, order, 1), ranked, null)


POOLED = np.stack([[5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5], [0] * 6], axis=1).astype(np.float32)
SCORES = np.array([[1.0, 3.0, 2.5], [4.0, 0.0, -1.0], [9.0, 9.0, 9.0]], np.float32)


def test_clip_rows_name_best_runner_up_and_pictures():
    present = np.zeros((6, 3), bool)
    present[:2, 1] = True
    table = clip_table(
        "m",
        "l",
        found(SCORES, np.array([1.0, 2.0, 3.0])),
        POOLED,
        np.array([False, False, True]),
        list("abcdef"),
        ["x", "y", "z"],
        ["object", "part", "absent"],
        truth=WordTruth(present, np.array([False, True, True])),
        truth_top_k=4,
    )
    first, second, dead = table.to_dict("records")
    assert not table["beyond_chance"].any() and (table["networks"] == 0).all()
    assert (first["concept"], first["category"], first["runner_up"]) == ("y", "part", "z")
    assert (first["score"], first["gap"], first["max_activation"]) == (3.0, 0.5, 5.0)
    assert first["top_images"] == "a;b;c;d;e" and second["top_images"] == "f;e;d;c;b"
    assert first["truth_presence"] == 0.5 and first["base_rate"] == pytest.approx(1 / 3)
    assert second["concept"] == "x" and np.isnan(second["truth_presence"])  # labels cannot tell
    assert [first[name] for name in ("null_mean", "null_std", "z", "p")] == [2, 1, 1, 0.5]
    assert [second[name] for name in ("z", "p")] == [2, 0.25]
    assert (first["q"], second["q"]) == (0.5, 0.5)  # the dead unit does not count among them
    assert dead["dead"] and dead["max_activation"] == 0
    empty = "concept category score runner_up gap null_mean null_std z p q truth_presence base_rate"
    assert all(pd.isna(dead[name]) for name in empty.split())
    assert list(table.columns) == [name for name in CLIP_TABLE if name != "study"]


def test_a_living_unit_that_cannot_be_ranked_has_no_concept_and_is_not_dead():
    ranked = [True, True, False]
    table = clip_table(
        "m",
        "l",
        found(SCORES, np.array([1.0, 2.0]), ranked),
        POOLED,
        np.zeros(3, bool),
        list("abcdef"),
        list("xyz"),
    )
    last = table.iloc[2]
    assert not last["dead"] and pd.isna(last["concept"]) and np.isnan(last["q"])


def test_concepts_without_a_null_make_no_table():
    with pytest.raises(XaiError, match="no null"):
        clip_table("m", "l", found(SCORES, None), POOLED, np.zeros(3, bool), list("abcdef"), list("xyz"))


def test_netdissect_rows_say_what_is_attainable():
    labels = np.zeros((1, 8, 8), np.uint16)
    labels[0, :, :4] = 1
    probe = ArrayProbe([np.zeros((8, 8, 3), np.uint8)], [{"object": labels}], CONCEPTS)
    maps = np.zeros((1, 3, 8, 8), np.float32)
    maps[0, 0, :4, :4] = 1  # half of the car
    maps[0, 1, :, 4:] = 1  # all that is no car
    counts = tally({"l": SparseMaps.of_dense(maps)}, {"l": np.full(3, 0.5, np.float32)}, read_labels(probe))[
        "l"
    ]
    table = netdissect_table("m", "l", counts, np.full(3, 0.5), np.array([False, False, True]))
    half, none, dead = table.to_dict("records")
    assert (half["concept"], half["category"], half["iou"], half["detector"]) == ("car", "object", 0.5, True)
    assert half["attainable_iou"] == 0.5 and half["coverage"] == 0.5
    assert pd.isna(half["runner_up"]) and half["gap"] == 0.5 and np.isnan(half["q"])
    assert pd.isna(none["concept"]) and none["iou"] == 0 and not none["detector"]
    assert dead["dead"] and pd.isna(dead["concept"]) and pd.isna(dead["iou"])
    assert not netdissect_table("m", "l", counts, np.full(3, 0.5), np.zeros(3, bool), min_iou=0.5)[
        "detector"
    ].any()


def test_a_unit_on_two_labels_has_a_runner_up_and_its_trust():
    labels = np.zeros((1, 8, 8), np.uint16)
    labels[0, :4], labels[0, 4:6] = 1, 2
    probe = ArrayProbe([np.zeros((8, 8, 3), np.uint8)], [{"object": labels}], CONCEPTS)
    maps = np.ones((1, 2, 8, 8), np.float32)
    counts = tally({"l": SparseMaps.of_dense(maps)}, {"l": np.zeros(2, np.float32)}, read_labels(probe))["l"]
    numbers = np.array([0.5, 0.75])
    trust = Significance(numbers / 4, numbers / 8, numbers * 4, numbers / 16, numbers / 2)
    first, dead = netdissect_table("m", "l", counts, np.zeros(2), np.array([False, True]), trust).to_dict(
        "records"
    )
    assert (first["concept"], first["runner_up"], first["gap"]) == ("car", "sand", 0.25)
    assert [first[name] for name in ("null_mean", "null_std", "z", "p", "q")] == [
        0.125, 0.0625, 2.0, 0.03125, 0.25,
    ]  # fmt: skip
    assert all(pd.isna(dead[name]) for name in ("runner_up", "gap", "null_mean", "z", "p", "q"))


def test_a_word_is_present_under_any_category_and_synonym():
    def probe_of(*numbers):
        maps = [np.where(np.arange(16).reshape(1, 4, 4) < 4, n, 0).astype(np.uint16) for n in numbers]
        return ArrayProbe(
            [np.zeros((4, 4, 3), np.uint8)] * len(maps), [{"object": m} for m in maps], CONCEPTS
        )

    probe = probe_of(1, 2, 3, 0)
    shares = read_labels(probe).shares()
    np.testing.assert_allclose(shares, np.vstack([np.eye(3) * 0.25, np.zeros(3)]))
    words = ["Cars", "auto", "sand", "saxophone", "strand"]
    truth = word_truth(words, shares, probe.concepts, synonyms={"strand": ["sand"]})
    assert truth.known.tolist() == [True, True, True, False, True]
    assert truth.present.T.tolist() == [
        [True, False, False, False],
        [True, False, False, False],
        [False, True, True, False],
        [False] * 4,
        [False, True, True, False],
    ]
    assert word_truth(words, shares, probe.concepts, exhaustive=True).known.all()
    assert not word_truth(words, shares, probe.concepts, min_share=0.25).present.any()
