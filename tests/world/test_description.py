import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from xai_assets.files import fingerprint
from xai_assets.world.description import describe
from xai_assets.world.errors import WorldError
from xai_assets.world.part import MAIN
from xai_assets.world.placement import LARGEST, SMALLEST
from xai_assets.world.pose import placed_parts, silhouette
from xai_assets.world.scene import SPLITS, SceneDescription
from xai_assets.world.vocabulary import CLASSES, SCENES, SIDE


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SPLITS)), st.integers(0, 10**6), st.integers(1, 2))
def test_json_gives_back_the_same_description(split, index, targets):
    description = describe(split, index, targets=targets)
    assert describe(split, index, targets=targets) == description
    assert SceneDescription.from_dict(json.loads(json.dumps(description.to_dict()))) == description


def test_splits_share_no_scene():
    prints, seeds = set(), []
    for split in SPLITS:
        for index in range(20):
            description = describe(split, index)
            value = description.to_dict()
            del value["split"], value["index"]
            prints.add(fingerprint(value))
            seeds += [description.background.seed] if split != "swatch" else [description.swatch.seed]
    assert len(prints) == 20 * len(SPLITS)
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("split", "index", "targets"), [("holiday", 0, 1), ("train", -1, 1), ("train", 0, 3)]
)
def test_a_scene_that_there_is_not_is_named(split, index, targets):
    with pytest.raises(WorldError, match=r"holiday|scene"):
        describe(split, index, targets=targets)


def factors(description, covered):
    target = description.targets[0]
    main = target.finish(MAIN)
    return {
        "scene": description.background.scene,
        "color": main.color,
        "finish": main.name,
        "accent": target.finish("accent").color,
        "half of the picture": (target.x > SIDE / 2, target.y > SIDE / 2),
        "direction": target.flipped,
        "size": int(np.searchsorted([0.045, 0.08, 0.14], covered)),
        "distractors": len(description.distractors),
        "occluded": description.occluder is not None,
    }


def test_nothing_but_shape_tells_the_class(many, masks):
    classes = [CLASSES.index(description.targets[0].class_name) for description in many]
    found = [factors(description, mask.mean()) for description, mask in zip(many, masks, strict=True)]
    for name in found[0]:
        values = sorted({str(value[name]) for value in found})
        table = np.zeros((len(CLASSES), len(values)))
        for label, value in zip(classes, found, strict=True):
            table[label, values.index(str(value[name]))] += 1
        assert chi2_contingency(table).pvalue > 1e-3, name


def test_classes_and_scenes_are_even(many):
    for words, of in (
        (CLASSES, lambda d: d.targets[0].class_name), (SCENES, lambda d: d.background.scene),
    ):  # fmt: skip
        counts = np.array([sum(of(d) == word for d in many) for word in words])
        expected = len(many) / len(words)
        assert np.abs(counts - expected).max() < 4 * np.sqrt(expected)


def test_sizes_fill_their_range(masks):
    shares = masks.mean((1, 2))
    assert shares.min() >= SMALLEST
    assert shares.max() <= LARGEST
    # Even on a logarithmic scale: each of four equal steps from 2.5 to 28 % has its part.
    steps = np.histogram(np.log(shares), np.log(np.geomspace(0.025, 0.28, 5)))[0] / len(masks)
    assert steps.min() > 0.15
    assert steps.max() < 0.35


def test_targets_are_everywhere(masks):
    mean = masks.mean(0)
    inner = mean[16:-16, 16:-16]
    assert inner.max() < 1.9 * mean.mean()
    assert mean[:16].mean() > 0.35 * mean.mean()
    assert mean[:, :16].mean() > 0.35 * mean.mean()
    middle = np.average(np.indices(mean.shape).reshape(2, -1), axis=1, weights=mean.ravel())
    assert middle == pytest.approx((SIDE - 1) / 2, abs=2.5)


def test_pairs_are_of_two_classes_and_keep_apart():
    seen = set()
    for index in range(40):
        first, second = describe("train", index, targets=2).targets
        assert first.class_name != second.class_name
        seen.add((first.x < second.x, first.y < second.y))
        assert not (silhouette(placed_parts(first)) & silhouette(placed_parts(second))).any()
    assert len(seen) == 4  # the first is left and right, above and below


def test_every_even_close_up_stands_before_a_plain_backdrop():
    for index in range(20):
        description = describe("close", index)
        assert (description.background.scene == "studio") == (index % 2 == 0)
        assert silhouette(placed_parts(description.targets[0])).mean() > 0.06
